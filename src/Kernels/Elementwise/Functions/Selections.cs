using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>b where a is not zero, 0 elsewhere: nothing of an infinity or a NaN that is not chosen gets through.</summary>
internal readonly struct Keep : IBinaryFunction
{
    public static string Name => "keep";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.SelectEqual(a, S.Zero, S.Zero, b);

    public static float Value(float a, float b) => a == 0f ? 0f : b;
}

/// <summary>b where a is zero, 0 elsewhere.</summary>
internal readonly struct Drop : IBinaryFunction
{
    public static string Name => "drop";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        S.SelectEqual(a, S.Zero, b, S.Zero);

    public static float Value(float a, float b) => a == 0f ? b : 0f;
}

/// <summary>a: a copy, which the strides of its layout permute or repeat.</summary>
internal readonly struct First : IBinaryFunction
{
    public static string Name => "first";

    public static V Value<S, V>(V a, V b)
        where S : ISimd<V>
        where V : struct =>
        a;

    public static float Value(float a, float b) => a;
}
