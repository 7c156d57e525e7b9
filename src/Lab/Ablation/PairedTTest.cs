using MathNet.Numerics.Distributions;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// Student's paired t-test (Student, 1908): whether the mean of n differences of two methods, run by run, could come from methods that are equally
/// good. It takes the differences as independent and normal; runs that share a split of the classes are not quite independent.
/// </summary>
/// <param name="Difference">Mean and standard deviation of the differences, and n.</param>
/// <param name="T">mean / (standard deviation / sqrt(n)); infinite for equal differences other than 0, NaN where all are 0.</param>
/// <param name="P">Two-sided: how likely |t| is at least as large under n - 1 degrees of freedom when the methods are equally good.</param>
internal readonly record struct PairedTTest(SampleStatistics Difference, double T, double P)
{
    /// <summary>Lower end of the mean's 95 % interval.</summary>
    public double Low => Difference.Mean - Difference.HalfWidth();

    /// <summary>Upper end of the mean's 95 % interval.</summary>
    public double High => Difference.Mean + Difference.HalfWidth();

    /// <summary>The test on differences; null for fewer than two, which have no standard deviation, or where one is NaN.</summary>
    internal static PairedTTest? Of(IEnumerable<double> differences)
    {
        SampleStatistics difference = SampleStatistics.Of(differences);
        var (mean, std, count) = difference;
        if (count < 2 || double.IsNaN(mean))
        {
            return null;
        }

        double t = mean / (std / Math.Sqrt(count));
        return new PairedTTest(
            difference, t, double.IsFinite(t) ? 2 * StudentT.CDF(0, 1, count - 1, -Math.Abs(t)) : double.IsNaN(t) ? double.NaN : 0);
    }
}
