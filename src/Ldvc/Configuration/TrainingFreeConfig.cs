namespace Ldvc.Configuration;

/// <summary>Section training_free: what a frozen CLIP segments with (docs/training-free.md).</summary>
public sealed record TrainingFreeConfig
{
    /// <summary>
    /// Similarities in the last block's attention: plain = queries and keys, as CLIP has them; qq = queries among themselves; qq+kk = that and keys
    /// among themselves.
    /// </summary>
    [Option("Similarities in the last block's attention: plain = queries and keys, as CLIP has them; qq = queries among themselves; qq+kk = that and "
        + "keys among themselves.", Runtime = true)]
    public SelfSimilarity Attention { get; init; } = SelfSimilarity.Qq;

    /// <summary>Whether the last block keeps its residual connections and with them its feed-forward part.</summary>
    [Option("Whether the last block keeps its residual connections and with them its feed-forward part.", Runtime = true)]
    public bool Residual { get; init; }

    /// <summary>Cosines are multiplied by this before the softmax over all names.</summary>
    [Option("Cosines are multiplied by this before the softmax over all names.", Min = 0, Above = true, Max = 1000, Runtime = true)]
    public double Scale { get; init; } = 50;

    /// <summary>As model.template.</summary>
    [Option("As model.template.", Single = true, Runtime = true)]
    public string[] Template { get; init; } = [TextTemplates.ImageNet];

    /// <summary>Pixels whose best probability lies below this become background; not set = no background.</summary>
    [Option("Pixels whose best probability lies below this become background; not set = no background.", Min = 0, Max = 1, Runtime = true)]
    public double? Background { get; init; }

    /// <summary>Images are resized to this short side, as eval.short_side says.</summary>
    [Option("Images are resized to this short side, as eval.short_side says.", Min = 16, Max = 8192, Runtime = true)]
    public int ShortSide { get; init; } = 448;

    /// <summary>Columns and rows of the sliding window.</summary>
    [Option("Columns and rows of the sliding window.", Min = 16, Max = 8192, Runtime = true)]
    public int Window { get; init; } = 448;

    /// <summary>Step of the sliding window; at most the window.</summary>
    [Option("Step of the sliding window; at most the window.", Min = 1, Max = 8192, Runtime = true)]
    public int Stride { get; init; } = 224;

    /// <summary>Section eval with this section's windows.</summary>
    internal EvalConfig Over(EvalConfig eval) =>
        eval with { ShortSide = ShortSide, Window = Window, Stride = Stride, Background = Background, SeenPenalty = 0 };
}

/// <summary>What the last block's attention compares (docs/training-free.md).</summary>
public enum SelfSimilarity
{
    /// <summary>Queries with keys.</summary>
    Plain,

    /// <summary>Queries with queries.</summary>
    Qq,

    /// <summary>Queries with queries and keys with keys; the two attentions are added.</summary>
    [OptionName("qq+kk")]
    QqKk,
}
