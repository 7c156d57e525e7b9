using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>Two values of each of the four 8-column blocks of a <see cref="ScoreTile"/>: the columns a lane holds.</summary>
internal struct ColumnValues
{
    public FloatPair B0;
    public FloatPair B1;
    public FloatPair B2;
    public FloatPair B3;
}

/// <summary>What happens to scores between the two products, element by element, in registers.</summary>
internal static class TensorCoreScores
{
    internal const float Log2E = 1.4426950408889634f;
    internal const float Ln2 = 0.6931471805599453f;

    /// <summary>One value a row: upper for rows 0 to 7, lower for 8 to 15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Rows(float upper, float lower)
    {
        Accumulator c;
        c.X = upper;
        c.Y = upper;
        c.Z = lower;
        c.W = lower;
        ScoreTile s;
        s.C0 = c;
        s.C1 = c;
        s.C2 = c;
        s.C3 = c;
        return s;
    }

    /// <summary>One value a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Columns(ColumnValues values)
    {
        ScoreTile s;
        s.C0 = Column(values.B0);
        s.C1 = Column(values.B1);
        s.C2 = Column(values.B2);
        s.C3 = Column(values.B3);
        return s;
    }

    /// <summary>Softmax weights from scores and log-sum-exps: 2^(factor score - logSumExp), both in base 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Weights(ScoreTile s, float factor, ScoreTile logSumExp)
    {
        s.C0 = Weight(s.C0, factor, logSumExp.C0);
        s.C1 = Weight(s.C1, factor, logSumExp.C1);
        s.C2 = Weight(s.C2, factor, logSumExp.C2);
        s.C3 = Weight(s.C3, factor, logSumExp.C3);
        return s;
    }

    /// <summary>Gradients of the scores, up to the scale: weight (gradient - delta).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Gradients(ScoreTile weight, ScoreTile gradient, ScoreTile delta)
    {
        weight.C0 = Gradient(weight.C0, gradient.C0, delta.C0);
        weight.C1 = Gradient(weight.C1, gradient.C1, delta.C1);
        weight.C2 = Gradient(weight.C2, gradient.C2, delta.C2);
        weight.C3 = Gradient(weight.C3, gradient.C3, delta.C3);
        return weight;
    }

    /// <summary>
    /// Replaces what is not to be seen. Seen are columns below limit for which causal (row - column) is not negative: causal is 1 where queries are
    /// the rows, -1 where they are the columns, 0 for no order. row and column are the lane's first ones.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Mask(ScoreTile s, float hidden, int row, int column, int limit, int causal)
    {
        s.C0 = Mask(s.C0, hidden, row, column, limit, causal);
        s.C1 = Mask(s.C1, hidden, row, column + 8, limit, causal);
        s.C2 = Mask(s.C2, hidden, row, column + 16, limit, causal);
        s.C3 = Mask(s.C3, hidden, row, column + 24, limit, causal);
        return s;
    }

    /// <summary>Drops weights: the element in the lane's row r and column c is number first + r rowStride + c columnStride of the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ScoreTile Drop(ScoreTile s, GpuAttentionArguments drop, ulong first, ulong rowStride, ulong columnStride)
    {
        first += drop.DropoutFirst;
        s.C0 = Drop(s.C0, drop, first, rowStride, columnStride);
        s.C1 = Drop(s.C1, drop, first + (8 * columnStride), rowStride, columnStride);
        s.C2 = Drop(s.C2, drop, first + (16 * columnStride), rowStride, columnStride);
        s.C3 = Drop(s.C3, drop, first + (24 * columnStride), rowStride, columnStride);
        return s;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Column(FloatPair value)
    {
        Accumulator c;
        c.X = value.X;
        c.Y = value.Y;
        c.Z = value.X;
        c.W = value.Y;
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Weight(Accumulator s, float factor, Accumulator logSumExp)
    {
        s.X = FastMath.Exp2(FastMath.Fma(s.X, factor, -logSumExp.X));
        s.Y = FastMath.Exp2(FastMath.Fma(s.Y, factor, -logSumExp.Y));
        s.Z = FastMath.Exp2(FastMath.Fma(s.Z, factor, -logSumExp.Z));
        s.W = FastMath.Exp2(FastMath.Fma(s.W, factor, -logSumExp.W));
        return s;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Gradient(Accumulator weight, Accumulator gradient, Accumulator delta)
    {
        weight.X *= gradient.X - delta.X;
        weight.Y *= gradient.Y - delta.Y;
        weight.Z *= gradient.Z - delta.Z;
        weight.W *= gradient.W - delta.W;
        return weight;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Mask(Accumulator c, float hidden, int row, int column, int limit, int causal)
    {
        c.X = column < limit && causal * (row - column) >= 0 ? c.X : hidden;
        c.Y = column + 1 < limit && causal * (row - column - 1) >= 0 ? c.Y : hidden;
        c.Z = column < limit && causal * (row + 8 - column) >= 0 ? c.Z : hidden;
        c.W = column + 1 < limit && causal * (row + 7 - column) >= 0 ? c.W : hidden;
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Accumulator Drop(Accumulator c, GpuAttentionArguments drop, ulong at, ulong rowStride, ulong columnStride)
    {
        ulong lower = at + (8 * rowStride);
        c.X *= DropoutMask.Factor(drop.DropoutKey, at, drop.Threshold, drop.KeptScale);
        c.Y *= DropoutMask.Factor(drop.DropoutKey, at + columnStride, drop.Threshold, drop.KeptScale);
        c.Z *= DropoutMask.Factor(drop.DropoutKey, lower, drop.Threshold, drop.KeptScale);
        c.W *= DropoutMask.Factor(drop.DropoutKey, lower + columnStride, drop.Threshold, drop.KeptScale);
        return c;
    }
}
