namespace Ldvc.Kernels.Gpu;

/// <summary>Scalar functions that kernels share. NaN stays NaN; products and sums are left to the compiler to contract.</summary>
internal static class GpuMath
{
    private const float GeluSlope = 1.702f;

    /// <summary>1 / (1 + e^-x).</summary>
    internal static float Sigmoid(float x) => 1f / (1f + MathF.Exp(-x));

    /// <summary>An activation by its number (a kernel's arguments hold no enum of another size than int).</summary>
    internal static float Activate(float x, int activation)
    {
        if (activation == (int)Activation.QuickGelu)
        {
            return x * Sigmoid(GeluSlope * x);
        }

        if (activation == (int)Activation.Relu)
        {
            return x < 0f ? 0f : x;
        }

        return x;
    }

    /// <summary>The activation's derivative at x, x being the value before it.</summary>
    internal static float Derivative(float x, int activation)
    {
        if (activation == (int)Activation.QuickGelu)
        {
            float s = Sigmoid(GeluSlope * x);
            return s + (s * GeluSlope * x * (1f - s));
        }

        if (activation == (int)Activation.Relu)
        {
            return x > 0f ? 1f : 0f;
        }

        return 1f;
    }
}
