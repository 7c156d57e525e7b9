using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>16 rows of 64 numbers of 16 bits in the registers of a warp, as the left operand of mma: four steps of 16.</summary>
internal struct RowFragment
{
    public Registers4 S0;
    public Registers4 S1;
    public Registers4 S2;
    public Registers4 S3;
}

/// <summary>16 x 32 floats: scores of 16 rows with 32 tokens of the other side.</summary>
internal struct ScoreTile
{
    public Accumulator C0;
    public Accumulator C1;
    public Accumulator C2;
    public Accumulator C3;
}

/// <summary>16 x 64 floats: what 16 rows sum up.</summary>
internal struct RowTile
{
    public Accumulator C0;
    public Accumulator C1;
    public Accumulator C2;
    public Accumulator C3;
    public Accumulator C4;
    public Accumulator C5;
    public Accumulator C6;
    public Accumulator C7;
}

/// <summary>
/// The two products that all attention kernels are made of, by one warp: 16 of its own rows (in registers) against 32 tokens of the other side (64
/// numbers of 16 bits each, in shared memory). A token's 8 chunks are permuted by its number, so that ldmatrix meets no bank twice.
/// </summary>
internal static class TensorCoreTile
{
    /// <summary>Components of a head.</summary>
    internal const int HeadDim = AttentionPlan.TensorCoreHeadDim;

    /// <summary>Chunks of a token.</summary>
    internal const int TokenChunks = HeadDim / 8;

    /// <summary>Tokens of a tile of the other side.</summary>
    internal const int Tokens = AttentionPlan.TensorCoreWalk;

    /// <summary>Rows of a warp.</summary>
    internal const int Rows = AttentionPlan.TensorCoreWarpRows;

    /// <summary>Where a chunk of a token lies in a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int At(int token, int chunk) => (token * TokenChunks) + (chunk ^ (token & 7));

    /// <summary>This lane's row of ldmatrix for <see cref="Scores"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ScoreLane() => At((Warp.LaneIdx & 7) + ((Warp.LaneIdx >> 4) * 8), (Warp.LaneIdx >> 3) & 1);

    /// <summary>This lane's row of ldmatrix for <see cref="Add"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int SumLane() => At(Warp.LaneIdx & 15, Warp.LaneIdx >> 4);

    /// <summary>
    /// Loads two of the 16 rows of a lane's quad, row0 and row1 being rows lane / 4 and lane / 4 + 8, given as the number of their first pair.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static RowFragment LoadRows(ArrayView<uint> pairs, int row0, int row1)
    {
        int t = Warp.LaneIdx & 3;
        RowFragment f;
        f.S0 = LoadStep(pairs, row0 + t, row1 + t);
        f.S1 = LoadStep(pairs, row0 + t + 8, row1 + t + 8);
        f.S2 = LoadStep(pairs, row0 + t + 16, row1 + t + 16);
        f.S3 = LoadStep(pairs, row0 + t + 24, row1 + t + 24);
        return f;
    }

    /// <summary>rows (16 x 64) times tile^T (64 x 32).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Scores<TFormat>(RowFragment rows, ArrayView<Halves8> shared, int at, int lane)
        where TFormat : struct, IHalfFormat
    {
        ScoreTile s = default;
        s = ScoreStep<TFormat>(s, rows.S0, shared, at + lane);
        s = ScoreStep<TFormat>(s, rows.S1, shared, at + (lane ^ 2));
        s = ScoreStep<TFormat>(s, rows.S2, shared, at + (lane ^ 4));
        return ScoreStep<TFormat>(s, rows.S3, shared, at + (lane ^ 6));
    }

    /// <summary>sums + weights (16 x 32, rounded) times tile (32 x 64).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static RowTile Add<TFormat>(RowTile sums, ScoreTile weights, ArrayView<Halves8> shared, int at, int lane)
        where TFormat : struct, IHalfFormat
    {
        sums = AddStep<TFormat>(sums, Left<TFormat>(weights.C0, weights.C1), shared, at, lane);
        return AddStep<TFormat>(sums, Left<TFormat>(weights.C2, weights.C3), shared, at + (16 * TokenChunks), lane);
    }

    /// <summary>Every row times its factor: upper for rows 0 to 7, lower for 8 to 15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static RowTile Scale(RowTile x, float upper, float lower)
    {
        x.C0 = Scale(x.C0, upper, lower);
        x.C1 = Scale(x.C1, upper, lower);
        x.C2 = Scale(x.C2, upper, lower);
        x.C3 = Scale(x.C3, upper, lower);
        x.C4 = Scale(x.C4, upper, lower);
        x.C5 = Scale(x.C5, upper, lower);
        x.C6 = Scale(x.C6, upper, lower);
        x.C7 = Scale(x.C7, upper, lower);
        return x;
    }

    /// <summary>
    /// Stores the rows that exist; row0 and row1 are the first floats of rows lane / 4 and lane / 4 + 8 and even, negative for none.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreRows(RowTile x, ArrayView<float> target, int row0, int row1)
    {
        var pairs = target.Cast<FloatPair>();
        int t = Warp.LaneIdx & 3;
        if (row0 >= 0)
        {
            int at = (row0 / 2) + t;
            StorePair(pairs, at, x.C0.X, x.C0.Y);
            StorePair(pairs, at + 4, x.C1.X, x.C1.Y);
            StorePair(pairs, at + 8, x.C2.X, x.C2.Y);
            StorePair(pairs, at + 12, x.C3.X, x.C3.Y);
            StorePair(pairs, at + 16, x.C4.X, x.C4.Y);
            StorePair(pairs, at + 20, x.C5.X, x.C5.Y);
            StorePair(pairs, at + 24, x.C6.X, x.C6.Y);
            StorePair(pairs, at + 28, x.C7.X, x.C7.Y);
        }

        if (row1 >= 0)
        {
            int at = (row1 / 2) + t;
            StorePair(pairs, at, x.C0.Z, x.C0.W);
            StorePair(pairs, at + 4, x.C1.Z, x.C1.W);
            StorePair(pairs, at + 8, x.C2.Z, x.C2.W);
            StorePair(pairs, at + 12, x.C3.Z, x.C3.W);
            StorePair(pairs, at + 16, x.C4.Z, x.C4.W);
            StorePair(pairs, at + 20, x.C5.Z, x.C5.W);
            StorePair(pairs, at + 24, x.C6.Z, x.C6.W);
            StorePair(pairs, at + 28, x.C7.Z, x.C7.W);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Registers4 LoadStep(ArrayView<uint> pairs, int at0, int at1)
    {
        Registers4 a;
        a.X = pairs[at0];
        a.Y = pairs[at1];
        a.Z = pairs[at0 + 4];
        a.W = pairs[at1 + 4];
        return a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ScoreTile ScoreStep<TFormat>(ScoreTile s, Registers4 a, ArrayView<Halves8> shared, int at)
        where TFormat : struct, IHalfFormat
    {
        Registers4 first = LdMatrix.X4(ref shared[at]), second = LdMatrix.X4(ref shared[at + (16 * TokenChunks)]);
        s.C0 = TFormat.Multiply(s.C0, a, first.X, first.Y);
        s.C1 = TFormat.Multiply(s.C1, a, first.Z, first.W);
        s.C2 = TFormat.Multiply(s.C2, a, second.X, second.Y);
        s.C3 = TFormat.Multiply(s.C3, a, second.Z, second.W);
        return s;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RowTile AddStep<TFormat>(RowTile o, Registers4 a, ArrayView<Halves8> shared, int at, int lane)
        where TFormat : struct, IHalfFormat
    {
        Registers4 b0 = LdMatrix.X4Transposed(ref shared[at + lane]), b1 = LdMatrix.X4Transposed(ref shared[at + (lane ^ 2)]);
        o.C0 = TFormat.Multiply(o.C0, a, b0.X, b0.Y);
        o.C1 = TFormat.Multiply(o.C1, a, b0.Z, b0.W);
        o.C2 = TFormat.Multiply(o.C2, a, b1.X, b1.Y);
        o.C3 = TFormat.Multiply(o.C3, a, b1.Z, b1.W);
        Registers4 b2 = LdMatrix.X4Transposed(ref shared[at + (lane ^ 4)]), b3 = LdMatrix.X4Transposed(ref shared[at + (lane ^ 6)]);
        o.C4 = TFormat.Multiply(o.C4, a, b2.X, b2.Y);
        o.C5 = TFormat.Multiply(o.C5, a, b2.Z, b2.W);
        o.C6 = TFormat.Multiply(o.C6, a, b3.X, b3.Y);
        o.C7 = TFormat.Multiply(o.C7, a, b3.Z, b3.W);
        return o;
    }

    // Two neighbouring accumulators (16 x 16) are, rounded, just where mma wants the left operand of 16 steps.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Registers4 Left<TFormat>(Accumulator first, Accumulator second)
        where TFormat : struct, IHalfFormat
    {
        Registers4 a;
        a.X = TFormat.Pack(first.X, first.Y);
        a.Y = TFormat.Pack(first.Z, first.W);
        a.Z = TFormat.Pack(second.X, second.Y);
        a.W = TFormat.Pack(second.Z, second.W);
        return a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Scale(Accumulator c, float upper, float lower)
    {
        c.X *= upper;
        c.Y *= upper;
        c.Z *= lower;
        c.W *= lower;
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePair(ArrayView<FloatPair> pairs, int at, float x, float y)
    {
        FloatPair value;
        value.X = x;
        value.Y = y;
        pairs[at] = value;
    }
}
