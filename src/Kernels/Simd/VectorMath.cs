using System.Runtime.CompilerServices;

namespace Ldvc.Kernels.Simd;

/// <summary>Vector functions built from <see cref="ISimd{V}"/>'s instructions.</summary>
internal static class VectorMath<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>
    /// e^x. Cody-Waite reduction x = n ln 2 + r with |r| at most ln 2 / 2, a degree-6 polynomial, then scaling by 2^n. Largest relative error
    /// about 1.2e-7 (2 ulp) on [-87, 88]; smaller arguments give e^-87, larger ones e^88, so no infinities and no denormals appear. NaN stays NaN: x
    /// is the second operand on purpose, which is the one that x86 hands on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp(V x)
    {
        x = S.Min(S.Set(88f), S.Max(S.Set(-87f), x));
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
        return S.ScaleByPowerOfTwo(p, n);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid(V x) => S.Reciprocal(S.Add(S.Set(1f), Exp(S.Subtract(S.Zero, x))));
}
