namespace Ldvc.Bench.Compare;

/// <summary>One engine's numbers in one case.</summary>
internal sealed record PeerResult
{
    public required string Case { get; init; }

    public required string Engine { get; init; }

    /// <summary>Why there are no numbers; null when there are.</summary>
    public string? Missing { get; init; }

    /// <summary>Whether it is here and yet has no numbers: its outputs differ, or it ended early.</summary>
    public bool Failed { get; init; }

    public double MedianSeconds { get; init; }

    /// <summary>Minimum and maximum of the rounds' medians.</summary>
    public double LowSeconds { get; init; }

    public double HighSeconds { get; init; }

    public int Runs { get; init; }

    public IReadOnlyList<double> Rounds { get; init; } = [];

    /// <summary>Of matrix products, 10^9 a second; 0 where it says nothing.</summary>
    public double GigaFlops { get; init; }

    /// <summary>VmHWM while running, MiB.</summary>
    public double PeakMebibytes { get; init; }

    /// <summary>The same less what was resident before the first run.</summary>
    public double AddedMebibytes { get; init; }

    /// <summary>Largest relative difference from our outputs (gradients divided by ten).</summary>
    public double Error { get; init; }

    /// <summary>Median over rounds of our time divided by this engine's.</summary>
    public double OursToThis { get; init; }

    public long ManagedBytesPerRun { get; init; }

    public int Collections { get; init; }

    public long DeviceAllocations { get; init; }
}

/// <summary>A goal and what came out.</summary>
internal sealed record GoalResult(string Case, string Measure, string Rival, double Limit, double Ratio)
{
    public bool Reached => Ratio <= Limit;
}
