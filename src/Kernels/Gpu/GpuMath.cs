using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Gpu;

/// <summary>Scalar functions that kernels share. NaN stays NaN; products and sums are left to the compiler to contract.</summary>
internal static class GpuMath
{
    private const float GeluSlope = 1.702f;

    /// <summary>1 / (1 + e^-x).</summary>
    internal static float Sigmoid(float x) => 1f / (1f + MathF.Exp(-x));

    /// <summary>tanh x, by the formulas of the CPU (<see cref="VectorFunctions{S, V}.Tanh"/>): a card's own has eleven bits.</summary>
    internal static float Tanh(float x)
    {
        float size = MathF.Abs(x), square = x * x;
        float p = (NormalConstants.Tanh4 * square) + NormalConstants.Tanh3;
        p = (p * square) + NormalConstants.Tanh2;
        p = (p * square) + NormalConstants.Tanh1;
        p = (p * square) + NormalConstants.Tanh0;
        float near = x + (p * square * x);

        // Past 10 it is 1; NaN stays NaN.
        float far = 1f - (2f / (MathF.Exp(2f * (size > 10f ? 10f : size)) + 1f));
        return size < NormalConstants.TanhBound ? near : x < 0f ? -far : far;
    }

    /// <summary>The normal distribution (<see cref="VectorFunctions{S, V}.Normal"/>), given <see cref="Bell"/> at x.</summary>
    internal static float Normal(float x, float bell)
    {
        float size = MathF.Abs(x), t = 1f / ((size * NormalConstants.Step) + 1f);
        float p = (NormalConstants.C8 * t) + NormalConstants.C7;
        p = (p * t) + NormalConstants.C6;
        p = (p * t) + NormalConstants.C5;
        p = (p * t) + NormalConstants.C4;
        p = (p * t) + NormalConstants.C3;
        p = (p * t) + NormalConstants.C2;
        p = (p * t) + NormalConstants.C1;
        p = (p * t) + NormalConstants.C0;
        float tail = size < NormalConstants.End ? 0.5f * bell * t * p : 0f;
        return x > 0f ? 1f - tail : tail;
    }

    /// <summary>e^(-x^2 / 2).</summary>
    internal static float Bell(float x) => MathF.Exp(-0.5f * x * x);

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

        if (activation == (int)Activation.Gelu)
        {
            return x * Normal(x, Bell(x));
        }

        return x;
    }

    /// <summary>
    /// The gradient before an activation, dy f'(x). Where a relu let nothing through nothing comes back, not even of an infinity.
    /// </summary>
    internal static float Backward(float dy, float x, int activation) =>
        activation == (int)Activation.Relu ? (x > 0f ? dy : 0f) : dy * Derivative(x, activation);

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

        if (activation == (int)Activation.Gelu)
        {
            float bell = Bell(x);
            return Normal(x, bell) + (x * NormalConstants.Peak * bell);
        }

        return 1f;
    }
}
