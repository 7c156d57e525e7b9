using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>a + b.</summary>
internal readonly struct Add : IBinaryFunction
{
    public static string Name => "add";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.Add(a, b);

    public static float Value(float a, float b) => a + b;
}

/// <summary>a - b.</summary>
internal readonly struct Subtract : IBinaryFunction
{
    public static string Name => "subtract";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.Subtract(a, b);

    public static float Value(float a, float b) => a - b;
}

/// <summary>a b.</summary>
internal readonly struct Multiply : IBinaryFunction
{
    public static string Name => "multiply";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.Multiply(a, b);

    public static float Value(float a, float b) => a * b;
}

/// <summary>a / b.</summary>
internal readonly struct Divide : IBinaryFunction
{
    public static string Name => "divide";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.Divide(a, b);

    public static float Value(float a, float b) => a / b;
}
