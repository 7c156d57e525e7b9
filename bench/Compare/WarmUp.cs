using System.Diagnostics;

namespace Ldvc.Bench.Compare;

/// <summary>Runs before the clock counts.</summary>
internal static class WarmUp
{
    private const int Least = 2;
    private const int Most = 50;
    private const double Seconds = 1;

    /// <summary>
    /// Runs for a second, at least twice, and at least twice as what is to be timed: the first runs of a step that becomes a graph are ordinary ones,
    /// and would be timed in its place where they take long.
    /// </summary>
    /// <param name="time">Runs once and gives the seconds.</param>
    /// <param name="settled">Whether the next run is one of those that are to be timed.</param>
    /// <returns>Seconds of the last run.</returns>
    internal static double Run(Func<double> time, Func<bool> settled)
    {
        double seconds = 0;
        int counted = 0;
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < Most && (counted < Least || clock.Elapsed.TotalSeconds < Seconds); i++)
        {
            counted += settled() ? 1 : 0;
            seconds = time();
        }

        return seconds;
    }
}
