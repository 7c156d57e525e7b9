using System.Runtime.CompilerServices;

namespace Ldvc.Kernels.Simd;

/// <summary>Functions of mathematics over their whole range: infinities and NaN come out as IEEE 754 has them.</summary>
internal static class VectorFunctions<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>
    /// e^x. As <see cref="VectorMath{S, V}.Exp"/>, but scaled by 2^n in two steps, so that large arguments give infinity and small ones denormals and
    /// zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp(V x)
    {
        // In this order NaN stays NaN.
        x = S.Min(S.Set(89f), S.Max(S.Set(-104f), x));
        V n = S.Round(S.Multiply(x, S.Set(1.44269504f)));
        V r = S.Fma(n, S.Set(-0.693359375f), x);
        r = S.Fma(n, S.Set(2.12194440e-4f), r);
        V p = S.Set(1.3888889e-3f);
        p = S.Fma(p, r, S.Set(8.3333333e-3f));
        p = S.Fma(p, r, S.Set(4.1666666e-2f));
        p = S.Fma(p, r, S.Set(0.16666667f));
        p = S.Fma(p, r, S.Set(0.5f));
        p = S.Fma(p, r, S.Set(1f));
        p = S.Fma(p, r, S.Set(1f));
        V half = S.Round(S.Multiply(n, S.Set(0.5f)));
        return S.ScaleByPowerOfTwo(S.ScaleByPowerOfTwo(p, half), S.Subtract(n, half));
    }

    /// <summary>
    /// tanh x: near zero an odd polynomial of degree 11 (interpolated at Chebyshev nodes, relative error 1e-7), elsewhere 1 - 2 / (e^2|x| + 1).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Tanh(V x)
    {
        V size = S.Abs(x), square = S.Multiply(x, x);
        V p = S.Set(NormalConstants.Tanh4);
        p = S.Fma(p, square, S.Set(NormalConstants.Tanh3));
        p = S.Fma(p, square, S.Set(NormalConstants.Tanh2));
        p = S.Fma(p, square, S.Set(NormalConstants.Tanh1));
        p = S.Fma(p, square, S.Set(NormalConstants.Tanh0));
        V near = S.Fma(S.Multiply(p, square), x, x);
        V e = VectorMath<S, V>.Exp(S.Multiply(S.Set(2f), S.Min(S.Set(10f), size)));
        V far = S.Subtract(S.Set(1f), S.Multiply(S.Set(2f), S.Reciprocal(S.Add(e, S.Set(1f)))));
        far = S.SelectPositive(x, far, S.Subtract(S.Zero, far));
        return S.SelectGreater(S.Set(NormalConstants.TanhBound), size, near, far);
    }

    /// <summary>
    /// The normal distribution: P(X at most x) = erfc(-x / sqrt 2) / 2, within 3e-7 of itself on both sides. The tail is e^(-x^2 / 2) times a
    /// polynomial in t = 1 / (1 + |x| / sqrt 8), interpolated at Chebyshev nodes up to |x| = 13.4, where it ends in float32.
    /// </summary>
    /// <param name="x">Where.</param>
    /// <param name="density">The density at x, e^(-x^2 / 2) / sqrt(2 pi).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Normal(V x, out V density)
    {
        V size = S.Abs(x), bell = VectorMath<S, V>.Exp(S.Multiply(S.Set(-0.5f), S.Multiply(x, x)));
        V t = S.Reciprocal(S.Fma(S.Min(S.Set(NormalConstants.End), size), S.Set(NormalConstants.Step), S.Set(1f)));
        V p = S.Set(NormalConstants.C8);
        p = S.Fma(p, t, S.Set(NormalConstants.C7));
        p = S.Fma(p, t, S.Set(NormalConstants.C6));
        p = S.Fma(p, t, S.Set(NormalConstants.C5));
        p = S.Fma(p, t, S.Set(NormalConstants.C4));
        p = S.Fma(p, t, S.Set(NormalConstants.C3));
        p = S.Fma(p, t, S.Set(NormalConstants.C2));
        p = S.Fma(p, t, S.Set(NormalConstants.C1));
        p = S.Fma(p, t, S.Set(NormalConstants.C0));
        V tail = S.Multiply(S.Multiply(S.Multiply(S.Set(0.5f), bell), t), p);
        tail = S.SelectGreater(S.Set(NormalConstants.End), size, tail, S.Zero);
        density = S.Multiply(S.Set(NormalConstants.Peak), bell);
        return S.SelectPositive(x, S.Subtract(S.Set(1f), tail), tail);
    }
}
