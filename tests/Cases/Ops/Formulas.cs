using Ldvc.Kernels;

namespace Ldvc.Cases.Ops;

/// <summary>Scalar functions in float64 that several references need.</summary>
internal static class Formulas
{
    internal static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    internal static double Activate(double x, Activation activation) => activation switch
    {
        Activation.QuickGelu => x * Sigmoid(1.702 * x),
        Activation.Relu => Math.Max(x, 0),
        Activation.Gelu => x * Normal(x),
        _ => x,
    };

    internal static double Derivative(double x, Activation activation)
    {
        double s = Sigmoid(1.702 * x);
        return activation switch
        {
            Activation.QuickGelu => s + (1.702 * x * s * (1 - s)),
            Activation.Relu => x > 0 ? 1 : 0,
            Activation.Gelu => Normal(x) + (x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)),
            _ => 1,
        };
    }

    /// <summary>
    /// The normal distribution: its Taylor series near zero, a continued fraction of the tail elsewhere (Abramowitz and Stegun 26.2.11 and 26.2.14).
    /// </summary>
    internal static double Normal(double x)
    {
        double density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI), size = Math.Abs(x);
        if (size < 3)
        {
            double term = x, sum = x;
            for (int n = 3; n < 120; n += 2)
            {
                term *= x * x / n;
                sum += term;
            }

            return 0.5 + (density * sum);
        }

        double fraction = 0;
        for (int n = 200; n > 0; n--)
        {
            fraction = n / (size + fraction);
        }

        double tail = density / (size + fraction);
        return x > 0 ? 1 - tail : tail;
    }

    /// <summary>What dropout multiplies element i by.</summary>
    internal static double DropoutFactor(ulong key, long i, float probability) =>
        DropoutMask.Bits(key, (ulong)i) >= DropoutMask.Threshold(probability) ? 1 / (1 - (double)probability) : 0;

    /// <summary>
    /// The two neighbours of an output position along one axis, and the second one's weight: half-pixel centres, clamped at the edges.
    /// </summary>
    internal static (int First, int Second, double Weight) Axis(int position, int input, int output)
    {
        double source = Math.Max(((position + 0.5) * input / output) - 0.5, 0);
        int first = Math.Min((int)Math.Floor(source), input - 1);
        return (first, Math.Min(first + 1, input - 1), source - first);
    }

    /// <summary>Bilinear interpolation of a plane of height x width values at pixel (y, x) of a larger or smaller picture.</summary>
    internal static double Bilinear(ReadOnlySpan<double> plane, int height, int width, int y, int x, int outputHeight, int outputWidth)
    {
        var (top, bottom, down) = Axis(y, height, outputHeight);
        var (left, right, across) = Axis(x, width, outputWidth);
        double above = (plane[(top * width) + left] * (1 - across)) + (plane[(top * width) + right] * across);
        double below = (plane[(bottom * width) + left] * (1 - across)) + (plane[(bottom * width) + right] * across);
        return (above * (1 - down)) + (below * down);
    }
}
