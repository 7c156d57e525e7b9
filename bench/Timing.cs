using System.Diagnostics;
using MathNet.Numerics.Statistics;

namespace Ldvc.Bench;

/// <summary>Medians after a warm-up.</summary>
internal static class Timing
{
    internal static (double Median, double Best) Measure(int rounds, int warmup, Action action)
    {
        for (int i = 0; i < warmup; i++)
        {
            action();
        }

        var times = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            times[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return (times.Median(), times.Minimum());
    }

    /// <summary>Peak resident memory of this process in MiB, from the operating system.</summary>
    internal static double PeakMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1048576.0;
    }
}
