using System.Runtime.CompilerServices;

namespace Ldvc.Kernels.Simd;

/// <summary>
/// The activations and their derivatives, for vectors and for the odd elements at an edge (through the same vector code: same rounding).
/// </summary>
internal static class ActivationMath<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const float GeluSlope = 1.702f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Apply(V x, Activation activation) => activation switch
    {
        Activation.QuickGelu => S.Multiply(x, VectorMath<S, V>.Sigmoid(S.Multiply(x, S.Set(GeluSlope)))),
        // In this order a NaN stays one: of a pair with a NaN the machine's maximum is the second.
        Activation.Relu => S.Max(S.Zero, x),
        Activation.Gelu => S.Multiply(x, VectorFunctions<S, V>.Normal(x, out _)),
        _ => x,
    };

    /// <summary>Derivative at x, x being the value before the activation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Derivative(V x, Activation activation)
    {
        switch (activation)
        {
            case Activation.QuickGelu:
                V s = VectorMath<S, V>.Sigmoid(S.Multiply(x, S.Set(GeluSlope)));
                V slope = S.Multiply(S.Multiply(x, S.Set(GeluSlope)), S.Subtract(S.Set(1f), s));
                return S.Fma(s, slope, s);
            case Activation.Relu:
                return S.SelectPositive(x, S.Set(1f), S.Zero);
            case Activation.Gelu:
                V below = VectorFunctions<S, V>.Normal(x, out V density);
                return S.Fma(x, density, below);
            default:
                return S.Set(1f);
        }
    }

    /// <summary>dy times the derivative at x. Where a relu let nothing through nothing comes back, not even of an infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Backward(V dy, V x, Activation activation) =>
        activation == Activation.Relu ? S.SelectPositive(x, dy, S.Zero) : S.Multiply(dy, Derivative(x, activation));

    internal static unsafe float Apply(float x, Activation activation)
    {
        float* lanes = stackalloc float[SimdLevel.MaxLanes];
        S.Store(lanes, Apply(S.Set(x), activation));
        return lanes[0];
    }

    internal static unsafe float Backward(float dy, float x, Activation activation)
    {
        float* lanes = stackalloc float[SimdLevel.MaxLanes];
        S.Store(lanes, Backward(S.Set(dy), S.Set(x), activation));
        return lanes[0];
    }
}
