namespace Ldvc.Configuration;

/// <summary>Section eval.</summary>
public sealed record EvalConfig
{
    /// <summary>
    /// Images are resized to this short side, keeping their aspect; if the long side would exceed four times this, it is limited to that and the
    /// short side becomes smaller, unless exact_short_side is true.
    /// </summary>
    [Option("Images are resized to this short side, keeping their aspect; if the long side would exceed four times this, it is limited to that and "
        + "the short side becomes smaller, unless exact_short_side is true.", Min = 16, Max = 8192)]
    public int ShortSide { get; init; } = 512;

    /// <summary>The short side is exactly short_side however long the other one gets, as in ZegCLIP's tests.</summary>
    [Option("The short side is exactly short_side however long the other one gets, as in ZegCLIP's tests.")]
    public bool ExactShortSide { get; init; }

    /// <summary>Columns and rows of the sliding window.</summary>
    [Option("Columns and rows of the sliding window.", Min = 16, Max = 8192)]
    public int Window { get; init; } = 512;

    /// <summary>Step of the sliding window; at most the window.</summary>
    [Option("Step of the sliding window; at most the window.", Min = 1, Max = 8192)]
    public int Stride { get; init; } = 426;

    /// <summary>Subtracted from the seen classes' probabilities after inductive training; 0 = off.</summary>
    [Option("Subtracted from the seen classes' probabilities after inductive training; 0 = off.", Min = 0, Max = 1)]
    public double SeenPenalty { get; init; } = 0.1;

    /// <summary>Looks at every picture mirrored, too, and averages the probabilities.</summary>
    [Option("Looks at every picture mirrored, too, and averages the probabilities.")]
    public bool Flip { get; init; }

    /// <summary>Looks at every picture at these multiples of eval.short_side and averages the probabilities.</summary>
    [Option("Looks at every picture at these multiples of eval.short_side and averages the probabilities.", Min = 0.1, Max = 8)]
    public double[] Scales { get; init; } = [1];

    /// <summary>Pixels whose best probability lies below this become background; not set = no background.</summary>
    [Option("Pixels whose best probability lies below this become background; not set = no background.", Min = 0, Max = 1)]
    public double? Background { get; init; }

    /// <summary>Windows computed at once.</summary>
    [Option("Windows computed at once.", Min = 1, Max = 1024, Runtime = true)]
    public int Batch { get; init; } = 1;

    /// <summary>Score only the first so many images; 0 = all.</summary>
    [Option("Score only the first so many images; 0 = all.", Min = 0)]
    public int Limit { get; init; }

    /// <summary>The longest side a picture may get: mmsegmentation's box (2048, 512) scaled to other short sides.</summary>
    internal int LongSide => 4 * ShortSide;
}
