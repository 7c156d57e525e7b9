using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>
/// How a matrix lies in memory, seen as chunks of 16 bytes: 8 numbers of 16 bits or 4 float32 ones (for tf32). "Outer" is the dimension that is not
/// summed over: rows of A, columns of B. A tile in shared memory holds <see cref="TensorCoreGemm.RowChunks"/> chunks of the sum. Its chunks are
/// permuted so that what lanes read at a time lies in different banks, as do the chunks which neighbouring lanes of cp.async write.
/// </summary>
internal interface IOperandLayout
{
    /// <summary>What this thread copies of every tile along the sum.</summary>
    /// <param name="stride">Chunks a row of the matrix.</param>
    /// <param name="tileOuter">Outer size of the tile, 64 or 128: with twice as many threads, two chunks each.</param>
    /// <param name="first">First outer index of the tile.</param>
    /// <param name="outer">Outer size of the matrix.</param>
    /// <param name="depth">Steps of the sum in the matrix.</param>
    /// <param name="threads">Threads of the group.</param>
    static abstract TileCopies Prepare(int stride, int tileOuter, int first, int outer, int depth, int threads);

    /// <summary>Starts the copies of the tile at step k, a multiple of a tile's, to chunk <paramref name="at"/> of shared memory.</summary>
    static abstract void Start(TileCopies copies, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int stride, int k, int threads);

    /// <summary>
    /// Where this lane's row of ldmatrix lies in the first block of A of a warp (16 outer indices, 16 steps); first is a multiple of 32.
    /// </summary>
    static abstract int LaneA(int tileOuter, int first);

    /// <summary>The same for B.</summary>
    static abstract int LaneB(int tileOuter, int first);

    /// <summary>
    /// The lane's row in outer block <paramref name="block"/> (below 4 when first was a multiple of 64, else below 2), steps 16 half ...
    /// </summary>
    static abstract int Block(int lane, int tileOuter, int block, int half);

    /// <summary>Registers a0..a3 of a block of A.</summary>
    static abstract Registers4 FragmentA(ArrayView<Halves8> shared, int at, int tileOuter);

    /// <summary>Registers b0, b1 of the first eight columns of a block of B, then of the other eight.</summary>
    static abstract Registers4 FragmentB(ArrayView<Halves8> shared, int at, int tileOuter);
}

/// <summary>16 bits; rows are the outer dimension, the sum runs along a row: A as it is, B transposed.</summary>
internal readonly struct SumAlongRows : IOperandLayout
{
    // A row of a tile is 4 chunks (64 bytes), two rows fill the 32 banks once.
    private const int RowChunks = TensorCoreGemm.RowChunks;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TileCopies Prepare(int stride, int tileOuter, int first, int outer, int depth, int threads) =>
        Chunks(stride, first, outer, depth, threads, 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Start(TileCopies copies, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int stride, int k, int threads) =>
        TileCopies.Start(copies, shared, at, matrix, k / 8, k, threads);

    /// <summary>For chunks of so many numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TileCopies Chunks(int stride, int first, int outer, int depth, int threads, int values)
    {
        // Threads / 4 rows on, the permutation is the same.
        int row = Group.IdxX / RowChunks, chunk = Group.IdxX & (RowChunks - 1), rows = threads / RowChunks, limit = depth - (chunk * values);
        TileCopies c;
        c.Source = ((first + row) * stride) + chunk;
        c.Second = rows * stride;
        c.Limit = first + row < outer ? limit : 0;
        c.SecondLimit = first + row + rows < outer ? limit : 0;
        c.Target = At(row, chunk);
        c.Bytes = 16;
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneA(int tileOuter, int first) => At(first + (Warp.LaneIdx & 15), Warp.LaneIdx >> 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneB(int tileOuter, int first) => At(first + (Warp.LaneIdx & 7) + ((Warp.LaneIdx >> 4) * 8), (Warp.LaneIdx >> 3) & 1);

    // 16 rows on, the permutation is the same; 2 chunks on, it is the same up to that bit.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Block(int lane, int tileOuter, int block, int half) => (lane ^ (2 * half)) + (16 * RowChunks * block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentA(ArrayView<Halves8> shared, int at, int tileOuter) => LdMatrix.X4(ref shared[at]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentB(ArrayView<Halves8> shared, int at, int tileOuter) => LdMatrix.X4(ref shared[at]);

    /// <summary>Where a chunk of a row lies in a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int At(int row, int chunk) => (row * RowChunks) + (chunk ^ ((row >> 1) & 3));
}

/// <summary>16 bits; the outer dimension runs along a row, the sum from row to row: A transposed, B as it is.</summary>
internal readonly struct SumAcrossRows : IOperandLayout
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TileCopies Prepare(int stride, int tileOuter, int first, int outer, int depth, int threads)
    {
        // Threads / (chunks of a row) = 16 rows on, the permutation is the same.
        int rowChunks = tileOuter / 8, row = Group.IdxX / rowChunks, chunk = Group.IdxX & (rowChunks - 1), rows = threads / rowChunks;
        bool inside = first + (chunk * 8) < outer;
        TileCopies c;
        c.Source = (row * stride) + (first / 8) + chunk;
        c.Second = rows * stride;
        c.Limit = inside ? depth - row : 0;
        c.SecondLimit = inside ? depth - row - rows : 0;
        c.Target = At(row, chunk, rowChunks);
        c.Bytes = 16;
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Start(TileCopies copies, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int stride, int k, int threads) =>
        TileCopies.Start(copies, shared, at, matrix, k * stride, k, threads);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneA(int tileOuter, int first) =>
        At((Warp.LaneIdx & 7) + ((Warp.LaneIdx >> 4) * 8), (first / 8) + ((Warp.LaneIdx >> 3) & 1), tileOuter / 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneB(int tileOuter, int first) => At(Warp.LaneIdx & 15, (first / 8) + (Warp.LaneIdx >> 4), tileOuter / 8);

    // A block is 2 chunks wide: its number changes bits 1 and 2 of the chunk, which are zero in the first; 16 rows on, the permutation is the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Block(int lane, int tileOuter, int block, int half) => (lane ^ (2 * block)) + (16 * (tileOuter / 8) * half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentA(ArrayView<Halves8> shared, int at, int tileOuter) => LdMatrix.X4Transposed(ref shared[at]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentB(ArrayView<Halves8> shared, int at, int tileOuter) => LdMatrix.X4Transposed(ref shared[at]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At(int row, int chunk, int rowChunks) => (row * rowChunks) + (chunk ^ (row & 7));
}
