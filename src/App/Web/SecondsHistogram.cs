using System.Globalization;
using System.Text;

namespace Ldvc.App.Web;

/// <summary>How many things took how long, in buckets from 1 ms to 5 minutes.</summary>
internal sealed class SecondsHistogram
{
    private static readonly double[] Bounds = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[Bounds.Length + 1];
    private double _sum;

    /// <summary>Counts one.</summary>
    internal void Add(double seconds)
    {
        int bucket = Array.FindIndex(Bounds, bound => seconds <= bound);
        lock (_lock)
        {
            _counts[bucket < 0 ? Bounds.Length : bucket]++;
            _sum += seconds;
        }
    }

    /// <summary>Appends the series of Prometheus' text format: buckets that add up, sum and count.</summary>
    /// <param name="text">Gets the lines.</param>
    /// <param name="name">Name of the metric.</param>
    /// <param name="labels">Its labels, as a="b"; may be empty.</param>
    internal void Write(StringBuilder text, string name, string labels)
    {
        lock (_lock)
        {
            string before = labels.Length > 0 ? labels + "," : "", alone = labels.Length > 0 ? $"{{{labels}}}" : "";
            long below = 0;
            for (int i = 0; i < _counts.Length; i++)
            {
                below += _counts[i];
                string bound = i < Bounds.Length ? Bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{bound}\"}} {below}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{alone} {_sum:R}\n{name}_count{alone} {below}\n");
        }
    }
}
