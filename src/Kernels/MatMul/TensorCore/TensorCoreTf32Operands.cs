using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.MatMul.TensorCore;

/// <summary>
/// float32 rows along the sum, as they lie in memory. A tile is, byte for byte, that of <see cref="SumAlongRows"/> with chunks of four: ldmatrix
/// moves 32 bits as it would move two numbers of 16, so lane 4 g + t gets (g, t), which is where mma wants tf32.
/// </summary>
internal readonly struct Tf32AlongRows : IOperandLayout
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TileCopies Prepare(int stride, int tileOuter, int first, int outer, int depth, int threads) =>
        SumAlongRows.Chunks(stride, first, outer, depth, threads, 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Start(TileCopies copies, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int stride, int k, int threads) =>
        TileCopies.StartTf32(copies, shared, at, matrix, k / 4, k, threads);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneA(int tileOuter, int first) => SumAlongRows.LaneA(tileOuter, first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneB(int tileOuter, int first) => SumAlongRows.LaneB(tileOuter, first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Block(int lane, int tileOuter, int block, int half) => SumAlongRows.Block(lane, tileOuter, block, half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentA(ArrayView<Halves8> shared, int at, int tileOuter) => Round(LdMatrix.X4(ref shared[at]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentB(ArrayView<Halves8> shared, int at, int tileOuter) => Round(LdMatrix.X4(ref shared[at]));

    /// <summary>The nearest tf32 numbers; the tensor cores alone would cut off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Registers4 Round(Registers4 x)
    {
        x.X = Mma.ToTf32(Interop.IntAsFloat(x.X));
        x.Y = Mma.ToTf32(Interop.IntAsFloat(x.Y));
        x.Z = Mma.ToTf32(Interop.IntAsFloat(x.Z));
        x.W = Mma.ToTf32(Interop.IntAsFloat(x.W));
        return x;
    }
}

/// <summary>
/// float32 rows across the sum. ldmatrix transposes numbers of 16 bits only, so lanes load theirs one by one: lane 4 g + t row t, outer index g.
/// Chunks are permuted by 2 (row % 4), which spreads these loads over all 32 banks: 4 rows times 8 neighbouring numbers.
/// </summary>
internal readonly struct Tf32AcrossRows : IOperandLayout
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TileCopies Prepare(int stride, int tileOuter, int first, int outer, int depth, int threads)
    {
        // Threads / (chunks of a row) = 8 rows on, the permutation is the same.
        int rowChunks = tileOuter / 4, row = Group.IdxX / rowChunks, chunk = Group.IdxX & (rowChunks - 1), rows = threads / rowChunks,
            left = outer - first - (chunk * 4);
        TileCopies c;
        c.Source = (row * stride) + (first / 4) + chunk;
        c.Second = rows * stride;
        c.Limit = left > 0 ? depth - row : 0;
        c.SecondLimit = left > 0 ? depth - row - rows : 0;
        c.Target = At(row, chunk, rowChunks);
        c.Bytes = IntrinsicMath.Min(4 * left, 16);
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Start(TileCopies copies, ArrayView<Halves8> shared, int at, ArrayView<Halves8> matrix, int stride, int k, int threads) =>
        TileCopies.Start(copies, shared, at, matrix, k * stride, k, threads);

    // The chunk of this lane's first number: row t, outer index first + g.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneA(int tileOuter, int first) => At(Warp.LaneIdx & 3, (first + (Warp.LaneIdx >> 2)) / 4, tileOuter / 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneB(int tileOuter, int first) => LaneA(tileOuter, first);

    // A block is 4 chunks wide: its number changes bits 2 and 3 of the chunk, which are zero in the first; 8 rows on, the permutation is the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Block(int lane, int tileOuter, int block, int half) => (lane ^ (4 * block)) + (8 * (tileOuter / 4) * half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentA(ArrayView<Halves8> shared, int at, int tileOuter)
    {
        Registers4 x;
        x.X = One(shared, at);
        x.Y = One(shared, at ^ 2);
        x.Z = One(shared, at + tileOuter);
        x.W = One(shared, (at ^ 2) + tileOuter);
        return Tf32AlongRows.Round(x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Registers4 FragmentB(ArrayView<Halves8> shared, int at, int tileOuter)
    {
        Registers4 x;
        x.X = One(shared, at);
        x.Y = One(shared, at + tileOuter);
        x.Z = One(shared, at ^ 2);
        x.W = One(shared, (at ^ 2) + tileOuter);
        return Tf32AlongRows.Round(x);
    }

    // 8 outer indices on are 2 chunks on (at ^ 2: that bit is zero in the first); 4 rows on are tileOuter chunks on.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint One(ArrayView<Halves8> shared, int at) => shared.Cast<uint>()[(4 * at) + ((Warp.LaneIdx >> 2) & 3)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At(int row, int chunk, int rowChunks) => (row * rowChunks) + (chunk ^ (2 * (row & 3)));
}
