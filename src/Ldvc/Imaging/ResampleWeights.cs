namespace Ldvc.Imaging;

/// <summary>The filters of <see cref="Resample.Antialiased"/>.</summary>
internal enum ResampleFilter
{
    /// <summary>Triangle, support 1.</summary>
    Bilinear,

    /// <summary>Cubic convolution with a = -0.5, support 2.</summary>
    Bicubic,
}

/// <summary>
/// One axis of an antialiased resize: for every output position the first input position, how many follow, and their fixed-point weights.
/// The arithmetic is Pillow's: weights normalised in double precision, then rounded to 22 fractional bits.
/// </summary>
internal sealed class ResampleWeights
{
    /// <summary>Fractional bits of a weight: 32, less 8 for the sample and 2 of headroom for the cubic's overshoot.</summary>
    public const int Bits = 22;

    private ResampleWeights(int[] first, int[] count, int[] weights, int stride)
    {
        First = first;
        Count = count;
        Weights = weights;
        Stride = stride;
    }

    /// <summary>First input position of each output position.</summary>
    public int[] First { get; }

    /// <summary>Number of input positions of each output position.</summary>
    public int[] Count { get; }

    /// <summary>[outputs, <see cref="Stride"/>], scaled by 2^<see cref="Bits"/>.</summary>
    public int[] Weights { get; }

    /// <summary>Weights reserved per output position.</summary>
    public int Stride { get; }

    /// <summary>Weights for resizing an axis from <paramref name="input"/> to <paramref name="output"/> samples.</summary>
    public static ResampleWeights Create(int input, int output, ResampleFilter filter)
    {
        double scale = (double)input / output;

        // When shrinking, the filter is stretched over all the input samples an output sample stands for.
        double stretch = Math.Max(scale, 1.0);
        double support = (filter == ResampleFilter.Bicubic ? 2.0 : 1.0) * stretch;
        int stride = ((int)Math.Ceiling(support) * 2) + 1;
        var first = new int[output];
        var count = new int[output];
        var weights = new int[checked(output * stride)];
        var exact = new double[stride];
        for (int i = 0; i < output; i++)
        {
            double centre = (i + 0.5) * scale;
            int from = Math.Max((int)(centre - support + 0.5), 0);
            int to = Math.Min((int)(centre + support + 0.5), input);
            double sum = 0;
            for (int k = 0; k < to - from; k++)
            {
                exact[k] = Filter(filter, (k + from - centre + 0.5) * (1.0 / stretch));
                sum += exact[k];
            }

            for (int k = 0; k < to - from; k++)
            {
                double weight = sum != 0 ? exact[k] / sum : exact[k];
                weights[(i * stride) + k] = (int)((weight < 0 ? -0.5 : 0.5) + (weight * (1 << Bits)));
            }

            first[i] = from;
            count[i] = to - from;
        }

        return new ResampleWeights(first, count, weights, stride);
    }

    private static double Filter(ResampleFilter filter, double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        if (filter == ResampleFilter.Bilinear)
        {
            return x < 1.0 ? 1.0 - x : 0.0;
        }

        if (x < 1.0)
        {
            return ((((a + 2.0) * x) - (a + 3.0)) * x * x) + 1;
        }

        return x < 2.0 ? ((((x - 5) * x) + 8) * x - 4) * a : 0.0;
    }
}
