namespace Ldvc.Clip;

/// <summary>Means of unit vectors, made unit vectors again; sums are kept in double precision.</summary>
internal sealed class UnitMeans(int count, int width)
{
    private readonly double[] _sums = new double[count * width];

    /// <summary>Adds a vector to mean `index`.</summary>
    internal void Add(int index, ReadOnlySpan<float> vector)
    {
        Span<double> sum = _sums.AsSpan(index * width, width);
        for (int i = 0; i < width; i++)
        {
            sum[i] += vector[i];
        }
    }

    /// <summary>The means [count, width], each of unit length.</summary>
    internal float[] ToArray()
    {
        var means = new float[_sums.Length];
        for (int start = 0; start < means.Length; start += width)
        {
            double squares = 0;
            foreach (double value in _sums.AsSpan(start, width))
            {
                squares += value * value;
            }

            // Vectors that cancel each other have no direction; they stay zero.
            double scale = squares > 0 ? 1 / Math.Sqrt(squares) : 0;
            for (int i = start; i < start + width; i++)
            {
                means[i] = (float)(_sums[i] * scale);
            }
        }

        return means;
    }
}
