using System.Globalization;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace Ldvc.Lab.Ablation;

/// <summary>Mean and sample standard deviation (n - 1) of a number over runs; the standard deviation of a single run is NaN.</summary>
internal readonly record struct SampleStatistics(double Mean, double StandardDeviation, int Count)
{
    /// <summary>Of values; NaN anywhere makes the mean NaN, so that nothing is averaged silently over fewer runs.</summary>
    internal static SampleStatistics Of(IEnumerable<double> values)
    {
        double[] all = [.. values];
        var (mean, std) = all.MeanStandardDeviation();
        return new SampleStatistics(mean, std, all.Length);
    }

    /// <summary>
    /// Half of the width of Student's 95 % interval around the mean: t of n - 1 degrees of freedom times standard deviation / sqrt(n). NaN for a
    /// single run, which says nothing about others.
    /// </summary>
    internal double HalfWidth() => Count < 2 ? double.NaN : StudentT.InvCDF(0, 1, Count - 1, 0.975) * StandardDeviation / Math.Sqrt(Count);

    /// <summary>"84.3 ± 1.2", "84.3" for one run, "-" for nothing.</summary>
    /// <param name="factor">100 turns shares into percent.</param>
    /// <param name="format">The format of both numbers.</param>
    internal string Text(double factor = 100, string format = "F1")
    {
        if (double.IsNaN(Mean))
        {
            return "-";
        }

        string mean = (factor * Mean).ToString(format, CultureInfo.InvariantCulture);
        return double.IsNaN(StandardDeviation) ? mean : $"{mean} ± {(factor * StandardDeviation).ToString(format, CultureInfo.InvariantCulture)}";
    }
}
