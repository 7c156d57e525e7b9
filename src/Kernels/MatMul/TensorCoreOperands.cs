using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// How a matrix lies in memory, seen as chunks of 16 bytes: 8 bf16 or 4 float32 numbers (for tf32). "Outer" is the dimension that is not summed over: rows
/// of A, columns of B. A tile in shared memory holds <see cref="TensorCoreGemm.RowChunks"/> chunks of the sum. Its chunks are permuted so that what lanes
/// read at a time lies in different banks, as do the chunks which neighbouring lanes of cp.async write.
/// </summary>
internal interface IOperandLayout
{
    /// <summary>Starts the copies of one tile; what lies outside the matrix becomes zero.</summary>
    /// <param name="shared">Shared memory; the tile starts at chunk <paramref name="at"/>.</param>
    /// <param name="at">First chunk of the tile.</param>
    /// <param name="matrix">The matrix, rows of <paramref name="stride"/> chunks.</param>
    /// <param name="stride">Chunks a row.</param>
    /// <param name="tileOuter">Outer size of the tile, 64 or more.</param>
    /// <param name="first">First outer index of the tile.</param>
    /// <param name="outer">Outer size of the matrix.</param>
    /// <param name="k">First step of the tile, a multiple of a tile's.</param>
    /// <param name="depth">Steps of the sum in the matrix.</param>
    /// <param name="threads">Threads of the group.</param>
    static abstract void Load(
        ArrayView<Bf16x8> shared, int at, ArrayView<Bf16x8> matrix, int stride, int tileOuter, int first, int outer, int k, int depth, int threads);

    /// <summary>Where this lane's row of ldmatrix lies in the first block of A of a warp (16 outer indices, 16 steps); first is a multiple of 32.</summary>
    static abstract int LaneA(int tileOuter, int first);

    /// <summary>The same for B.</summary>
    static abstract int LaneB(int tileOuter, int first);

    /// <summary>The lane's row in outer block <paramref name="block"/> (below 4 when first was a multiple of 64, else below 2), steps 16 half ...</summary>
    static abstract int Block(int lane, int tileOuter, int block, int half);

    /// <summary>Registers a0..a3 of a block of A.</summary>
    static abstract Registers4 FragmentA(ArrayView<Bf16x8> shared, int at, int tileOuter);

    /// <summary>Registers b0, b1 of the first eight columns of a block of B, then of the other eight.</summary>
    static abstract Registers4 FragmentB(ArrayView<Bf16x8> shared, int at, int tileOuter);
}

/// <summary>bf16; rows are the outer dimension, the sum runs along a row: A as it is, B transposed.</summary>
internal readonly struct SumAlongRows : IOperandLayout
{
    // A row of a tile is 4 chunks (64 bytes), two rows fill the 32 banks once.
    private const int RowChunks = TensorCoreGemm.RowChunks;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(
        ArrayView<Bf16x8> shared, int at, ArrayView<Bf16x8> matrix, int stride, int tileOuter, int first, int outer, int k, int depth, int threads)
    {
        for (int i = Group.IdxX; i < tileOuter * RowChunks; i += threads)
        {
            int row = i / RowChunks, chunk = i % RowChunks;
            bool inside = first + row < outer && k + (chunk * 8) < depth;
            int source = inside ? ((first + row) * stride) + (k / 8) + chunk : 0;
            AsyncCopy.Copy16(ref shared[at + At(row, chunk)], ref matrix[source], inside ? 16 : 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneA(int tileOuter, int first) => At(first + (Warp.LaneIdx & 15), Warp.LaneIdx >> 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneB(int tileOuter, int first) => At(first + (Warp.LaneIdx & 7) + ((Warp.LaneIdx >> 4) * 8), (Warp.LaneIdx >> 3) & 1);

    // 16 rows on, the permutation is the same; 2 chunks on, it is the same up to that bit.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Block(int lane, int tileOuter, int block, int half) => (lane ^ (2 * half)) + (16 * RowChunks * block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentA(ArrayView<Bf16x8> shared, int at, int tileOuter) => LdMatrix.X4(ref shared[at]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentB(ArrayView<Bf16x8> shared, int at, int tileOuter) => LdMatrix.X4(ref shared[at]);

    /// <summary>Where a chunk of a row lies in a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int At(int row, int chunk) => (row * RowChunks) + (chunk ^ ((row >> 1) & 3));
}

/// <summary>bf16; the outer dimension runs along a row, the sum from row to row: A transposed, B as it is.</summary>
internal readonly struct SumAcrossRows : IOperandLayout
{
    // Rows of a tile.
    private const int Depth = 8 * TensorCoreGemm.RowChunks;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(
        ArrayView<Bf16x8> shared, int at, ArrayView<Bf16x8> matrix, int stride, int tileOuter, int first, int outer, int k, int depth, int threads)
    {
        int rowChunks = tileOuter / 8;
        for (int i = Group.IdxX; i < Depth * rowChunks; i += threads)
        {
            int row = i / rowChunks, chunk = i % rowChunks;
            bool inside = k + row < depth && first + (chunk * 8) < outer;
            int source = inside ? ((k + row) * stride) + (first / 8) + chunk : 0;
            AsyncCopy.Copy16(ref shared[at + At(row, chunk, rowChunks)], ref matrix[source], inside ? 16 : 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneA(int tileOuter, int first) =>
        At((Warp.LaneIdx & 7) + ((Warp.LaneIdx >> 4) * 8), (first / 8) + ((Warp.LaneIdx >> 3) & 1), tileOuter / 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneB(int tileOuter, int first) => At(Warp.LaneIdx & 15, (first / 8) + (Warp.LaneIdx >> 4), tileOuter / 8);

    // A block is 2 chunks wide: its number changes bits 1 and 2 of the chunk, which are zero in the first; 16 rows on, the permutation is the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Block(int lane, int tileOuter, int block, int half) => (lane ^ (2 * block)) + (16 * (tileOuter / 8) * half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentA(ArrayView<Bf16x8> shared, int at, int tileOuter) => LdMatrix.X4Transposed(ref shared[at]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentB(ArrayView<Bf16x8> shared, int at, int tileOuter) => LdMatrix.X4Transposed(ref shared[at]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At(int row, int chunk, int rowChunks) => (row * rowChunks) + (chunk ^ (row & 7));
}
