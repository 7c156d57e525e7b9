using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Functions;

/// <summary>max(x, 0); its slope at zero is zero, as in PyTorch.</summary>
internal readonly struct Relu : IUnaryFunction
{
    public static string Name => "relu";

    public static bool SlopeOfResult => false;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        ActivationMath<S, V>.Apply(x, Activation.Relu);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        ActivationMath<S, V>.Derivative(x, Activation.Relu);

    public static float Value(float x) => GpuMath.Activate(x, (int)Activation.Relu);

    public static float Slope(float x) => GpuMath.Derivative(x, (int)Activation.Relu);
}

/// <summary>x Phi(x), Phi being the normal distribution: the exact form, with erf (Hendrycks and Gimpel 2016, section 2).</summary>
internal readonly struct Gelu : IUnaryFunction
{
    public static string Name => "gelu";

    public static bool SlopeOfResult => false;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        ActivationMath<S, V>.Apply(x, Activation.Gelu);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        ActivationMath<S, V>.Derivative(x, Activation.Gelu);

    public static float Value(float x) => GpuMath.Activate(x, (int)Activation.Gelu);

    public static float Slope(float x) => GpuMath.Derivative(x, (int)Activation.Gelu);
}

/// <summary>x sigmoid(1.702 x), CLIP's.</summary>
internal readonly struct QuickGelu : IUnaryFunction
{
    public static string Name => "quick_gelu";

    public static bool SlopeOfResult => false;

    public static V Value<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        ActivationMath<S, V>.Apply(x, Activation.QuickGelu);

    public static V Slope<S, V>(V x)
        where S : ISimd<V>
        where V : struct =>
        ActivationMath<S, V>.Derivative(x, Activation.QuickGelu);

    public static float Value(float x) => GpuMath.Activate(x, (int)Activation.QuickGelu);

    public static float Slope(float x) => GpuMath.Derivative(x, (int)Activation.QuickGelu);
}
