using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Online softmax of 16 rows: what has been summed so far, relative to the largest score so far. Index 0 is rows 0 to 7, 1 is 8 to 15.
/// </summary>
internal struct SoftmaxState
{
    /// <summary>Sum of weight times value.</summary>
    public RowTile Sum;

    /// <summary>Largest score, times log2 e and the scale.</summary>
    public float Max0;
    public float Max1;

    /// <summary>Sum of the weights that this lane has seen; the four lanes of a row are added at the end.</summary>
    public float Total0;
    public float Total1;

    /// <summary>The weights of the tile that came last.</summary>
    public ScoreTile Weights;

    /// <summary>Nothing seen yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static SoftmaxState Start()
    {
        SoftmaxState state = default;
        state.Max0 = float.NegativeInfinity;
        state.Max1 = float.NegativeInfinity;
        return state;
    }

    /// <summary>
    /// Turns a tile of scores into weights and rescales the sum; the caller adds weights times values. The first tile of a row has to show at least
    /// one score: hidden ones are minus infinity. The factor must be positive.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static SoftmaxState Advance(SoftmaxState state, ScoreTile s, float factor)
    {
        float max0 = RowMax(Max(s.C0.X, s.C0.Y, s.C1.X, s.C1.Y), Max(s.C2.X, s.C2.Y, s.C3.X, s.C3.Y)) * factor;
        float max1 = RowMax(Max(s.C0.Z, s.C0.W, s.C1.Z, s.C1.W), Max(s.C2.Z, s.C2.W, s.C3.Z, s.C3.W)) * factor;
        max0 = Math.Max(state.Max0, max0);
        max1 = Math.Max(state.Max1, max1);
        float rescale0 = FastMath.Exp2(state.Max0 - max0), rescale1 = FastMath.Exp2(state.Max1 - max1);
        ScoreTile w = TensorCoreScores.Weights(s, factor, TensorCoreScores.Rows(max0, max1));
        SoftmaxState next;
        next.Max0 = max0;
        next.Max1 = max1;
        next.Total0 = FastMath.Fma(state.Total0, rescale0, w.C0.X + w.C0.Y + (w.C1.X + w.C1.Y) + (w.C2.X + w.C2.Y + (w.C3.X + w.C3.Y)));
        next.Total1 = FastMath.Fma(state.Total1, rescale1, w.C0.Z + w.C0.W + (w.C1.Z + w.C1.W) + (w.C2.Z + w.C2.W + (w.C3.Z + w.C3.W)));
        next.Sum = TensorCoreTile.Scale(state.Sum, rescale0, rescale1);
        next.Weights = w;
        return next;
    }

    /// <summary>Adds a value over the four lanes of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float RowSum(float x)
    {
        x += Warp.ShuffleXor(x, 1);
        return x + Warp.ShuffleXor(x, 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float RowMax(float a, float b)
    {
        float x = Math.Max(a, b);
        x = Math.Max(x, Warp.ShuffleXor(x, 1));
        return Math.Max(x, Warp.ShuffleXor(x, 2));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Max(float a, float b, float c, float d) => Math.Max(Math.Max(a, b), Math.Max(c, d));
}
