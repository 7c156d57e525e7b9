using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>1 / (1 + e^-x).</summary>
internal readonly struct Sigmoid : IUnaryFunction
{
    public static string Name => "sigmoid";

    public static bool SlopeOfResult => true;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        VectorMath<S, V>.Sigmoid(x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Multiply(x, S.Subtract(S.Set(1f), x));

    public static float Value(float x) => GpuMath.Sigmoid(x);

    public static float Slope(float x) => x * (1f - x);
}

/// <summary>The hyperbolic tangent.</summary>
internal readonly struct Tanh : IUnaryFunction
{
    public static string Name => "tanh";

    public static bool SlopeOfResult => true;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        VectorFunctions<S, V>.Tanh(x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Subtract(S.Set(1f), S.Multiply(x, x));

    public static float Value(float x) => GpuMath.Tanh(x);

    public static float Slope(float x) => 1f - (x * x);
}
