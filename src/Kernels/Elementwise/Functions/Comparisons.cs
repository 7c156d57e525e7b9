using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>1 where a is above b, 0 elsewhere and where either is NaN.</summary>
internal readonly struct Greater : IBinaryFunction
{
    public static string Name => "greater";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.SelectGreater(a, b, S.Set(1f), S.Zero);

    public static float Value(float a, float b) => a > b ? 1f : 0f;
}

/// <summary>1 where a is above b or equal to it, 0 elsewhere and where either is NaN.</summary>
internal readonly struct GreaterOrEqual : IBinaryFunction
{
    public static string Name => "greater_or_equal";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.SelectEqual(a, b, S.Set(1f), S.SelectGreater(a, b, S.Set(1f), S.Zero));

    public static float Value(float a, float b) => a >= b ? 1f : 0f;
}

/// <summary>1 where a equals b, 0 elsewhere and where either is NaN.</summary>
internal readonly struct Equal : IBinaryFunction
{
    public static string Name => "equal";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.SelectEqual(a, b, S.Set(1f), S.Zero);

    public static float Value(float a, float b) => a == b ? 1f : 0f;
}

/// <summary>0 where a equals b, 1 elsewhere and where either is NaN.</summary>
internal readonly struct NotEqual : IBinaryFunction
{
    public static string Name => "not_equal";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.SelectEqual(a, b, S.Zero, S.Set(1f));

    public static float Value(float a, float b) => a == b ? 0f : 1f;
}
