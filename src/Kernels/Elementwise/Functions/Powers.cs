using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>-x.</summary>
internal readonly struct Negate : IUnaryFunction
{
    public static string Name => "negate";

    public static bool SlopeOfResult => false;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Subtract(S.Set(-0f), x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Set(-1f);

    public static float Value(float x) => -x;

    public static float Slope(float x) => -1f;
}

/// <summary>x^2.</summary>
internal readonly struct Square : IUnaryFunction
{
    public static string Name => "square";

    public static bool SlopeOfResult => false;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Multiply(x, x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Multiply(S.Set(2f), x);

    public static float Value(float x) => x * x;

    public static float Slope(float x) => 2f * x;
}

/// <summary>The square root: NaN below zero. Its slope at zero is infinite.</summary>
internal readonly struct Sqrt : IUnaryFunction
{
    public static string Name => "sqrt";

    public static bool SlopeOfResult => true;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Sqrt(x);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        S.Divide(S.Set(0.5f), x);

    public static float Value(float x) => MathF.Sqrt(x);

    public static float Slope(float x) => 0.5f / x;
}
