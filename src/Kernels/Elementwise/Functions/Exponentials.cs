using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>e^x. Its slope is itself.</summary>
internal readonly struct Exp : IUnaryFunction
{
    public static string Name => "exp";

    public static bool SlopeOfResult => true;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        VectorFunctions<S, V>.Exp(x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        x;

    public static float Value(float x) => MathF.Exp(x);

    public static float Slope(float x) => x;
}

/// <summary>The natural logarithm: -infinity at zero, NaN below.</summary>
internal readonly struct Log : IUnaryFunction
{
    public static string Name => "log";

    public static bool SlopeOfResult => false;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Log(x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Divide(S.Set(1f), x);

    public static float Value(float x) => MathF.Log(x);

    public static float Slope(float x) => 1f / x;
}
