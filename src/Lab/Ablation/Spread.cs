using System.Globalization;

namespace Ldvc.Lab.Ablation;

/// <summary>Mean and sample deviation (n - 1) of a number over seeds; NaN deviation for a single seed.</summary>
internal readonly record struct Spread(double Mean, double Deviation, int Count)
{
    /// <summary>Of values; NaN anywhere makes the mean NaN, so that nothing is averaged silently over fewer seeds.</summary>
    internal static Spread Of(IEnumerable<double> values)
    {
        double[] all = [.. values];
        if (all.Length == 0)
        {
            return new Spread(double.NaN, double.NaN, 0);
        }

        double mean = all.Average();
        double squares = all.Sum(v => (v - mean) * (v - mean));
        return new Spread(mean, all.Length > 1 ? Math.Sqrt(squares / (all.Length - 1)) : double.NaN, all.Length);
    }

    /// <summary>"84.3 ± 1.2", "84.3" for one seed, "-" for nothing.</summary>
    /// <param name="factor">100 turns shares into percent.</param>
    /// <param name="format">The format of both numbers.</param>
    internal string Text(double factor = 100, string format = "F1")
    {
        if (double.IsNaN(Mean))
        {
            return "-";
        }

        string mean = (factor * Mean).ToString(format, CultureInfo.InvariantCulture);
        return double.IsNaN(Deviation) ? mean : $"{mean} ± {(factor * Deviation).ToString(format, CultureInfo.InvariantCulture)}";
    }
}
