namespace Ldvc.Bench.Load;

/// <summary>How many requests, and of which kind.</summary>
/// <param name="Requests">In all.</param>
/// <param name="AtOnce">In flight.</param>
/// <param name="HostilePercent">Hostile ones in 100.</param>
/// <param name="Seed">Seed of their order.</param>
internal sealed record LoadPlan(int Requests, int AtOnce, int HostilePercent, int Seed)
{
    /// <summary>Requests after which memory is looked at: a tenth.</summary>
    internal int Window => Math.Max(1, Requests / 10);

    /// <summary>Whether each request is hostile.</summary>
    internal bool[] Order()
    {
        var random = new Random(Seed);
        return [.. Enumerable.Range(0, Requests).Select(_ => random.Next(100) < HostilePercent)];
    }
}

/// <summary>A tenth of a run.</summary>
/// <param name="Until">Requests so far.</param>
/// <param name="P50">Median time of the good ones in ms, from the first byte sent to the last received.</param>
/// <param name="P99">What 99 % of them stay below.</param>
/// <param name="Mebibytes">Memory of the server, the median of two looks a second.</param>
/// <param name="PeakMebibytes">The most of these.</param>
internal sealed record LoadWindow(int Until, double P50, double P99, double Mebibytes, double PeakMebibytes);

/// <summary>What a run gave.</summary>
internal sealed class LoadResult
{
    private const int Tenths = 3;

    /// <summary>Good requests.</summary>
    internal int Good { get; set; }

    /// <summary>Those of them that got their labels.</summary>
    internal int Answered { get; set; }

    /// <summary>Hostile requests.</summary>
    internal int Hostile { get; set; }

    /// <summary>How long it took.</summary>
    internal double Seconds { get; set; }

    /// <summary>Each tenth.</summary>
    internal List<LoadWindow> Windows { get; } = [];

    /// <summary>Milliseconds of good requests.</summary>
    internal List<double> Times { get; } = [];

    /// <summary>How often what came of each kind of request.</summary>
    internal Dictionary<(string Kind, string Outcome), int> Outcomes { get; } = [];

    /// <summary>What should not have happened.</summary>
    internal List<string> Surprises { get; } = [];

    /// <summary>
    /// Memory in the last tenths over that in the tenths behind the first, three of each: a single tenth may lie before or behind a collection of
    /// garbage.
    /// </summary>
    internal double Growth =>
        Windows.TakeLast(Tenths).Average(w => w.Mebibytes) / Windows.Skip(Windows.Count > 1 ? 1 : 0).Take(Tenths).Average(w => w.Mebibytes);

    /// <summary>A quantile of all good requests in ms.</summary>
    internal double Percentile(double share) => Quantile(Times, share);

    /// <summary>The value that a share of others do not exceed.</summary>
    internal static double Quantile(IReadOnlyCollection<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }
}
