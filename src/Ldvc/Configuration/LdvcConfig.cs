using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>
/// Everything a run can be told, with the published defaults (method.md). Read from YAML by <see cref="ConfigLoader"/>; the key of a property is its
/// name in snake_case, an enum value is its name in kebab-case. Relative paths are relative to the working directory.
/// </summary>
public sealed record LdvcConfig
{
    /// <summary>The file it was read from, as given; empty for defaults.</summary>
    public string Source { get; init; } = "";

    /// <summary>What messages begin with: the file and a colon; nothing where the configuration was made in code.</summary>
    internal string Place => Source.Length > 0 ? $"{Source}: " : "";

    /// <summary>The pretrained CLIP, which stays frozen.</summary>
    [Option("The pretrained CLIP, which stays frozen.")]
    public ClipConfig Clip { get; init; } = new();

    /// <summary>Prompts, decoder and mask head (method.md 2 to 6).</summary>
    [Option("Prompts, decoder and mask head (method.md 2 to 6).")]
    public ModelConfig Model { get; init; } = new();

    /// <summary>Weights of the training loss (method.md 7).</summary>
    [Option("Weights of the training loss (method.md 7).")]
    public LossConfig Loss { get; init; } = new();

    /// <summary>The data set and how it is read.</summary>
    [Option("The data set and how it is read.")]
    public DataConfig Data { get; init; } = new();

    /// <summary>Random changes of the training images (method.md 8). Each has a value that switches it off.</summary>
    [Option("Random changes of the training images (method.md 8). Each has a value that switches it off.")]
    public AugmentConfig Augment { get; init; } = new();

    /// <summary>Optimiser, schedule and what a run leaves behind (method.md 8).</summary>
    [Option("Optimiser, schedule and what a run leaves behind (method.md 8).")]
    public TrainConfig Train { get; init; } = new();

    /// <summary>Sliding-window inference and scoring (method.md 9).</summary>
    [Option("Sliding-window inference and scoring (method.md 9).")]
    public EvalConfig Eval { get; init; } = new();

    /// <summary>
    /// Segmentation with a frozen CLIP alone: `segment`, `serve` and `eval` without a checkpoint, and the row training-free of `ablate`.
    /// </summary>
    [Option("Segmentation with a frozen CLIP alone: `segment`, `serve` and `eval` without a checkpoint, and the row training-free of `ablate`.")]
    public TrainingFreeConfig TrainingFree { get; init; } = new();

    /// <summary>`ldvc pretrain`: a small CLIP trained on drawn scenes and captions.</summary>
    [Option("`ldvc pretrain`: a small CLIP trained on drawn scenes and captions.")]
    public PretrainConfig Pretrain { get; init; } = new();

    /// <summary>`ldvc ablate`: which variants of the method are trained and compared. These keys do not change a single run.</summary>
    [Option("`ldvc ablate`: which variants of the method are trained and compared. These keys do not change a single run.")]
    public AblateConfig Ablate { get; init; } = new();

    /// <summary>The value of an option without a default that the caller cannot do without.</summary>
    /// <param name="value">The value, null when the configuration does not set it.</param>
    /// <param name="key">Dotted key, e.g. "data.root".</param>
    /// <param name="what">What is expected, e.g. "the folder of the data set".</param>
    /// <exception cref="InputException">The value is not set.</exception>
    public string Require(string? value, string key, string what) =>
        value ?? throw new InputException($"{Place}{key}: expected {what}, but it is not set; write it into the file or add --set {key}=VALUE.");
}

/// <summary>Section clip.</summary>
public sealed record ClipConfig
{
    /// <summary>Folder (Hugging Face layout) or file (.pt, .pth, .safetensors) of the CLIP.</summary>
    [Option("Folder (Hugging Face layout) or file (.pt, .pth, .safetensors) of the CLIP.", Runtime = true)]
    public string? Path { get; init; }

    /// <summary>
    /// Which GELU the CLIP was trained with: auto = what its config.json or open_clip_config.json says; weights without one need quick-gelu
    /// (OpenAI's) or gelu.
    /// </summary>
    [Option("Which GELU the CLIP was trained with: auto = what its config.json or open_clip_config.json says; weights without one need quick-gelu "
        + "(OpenAI's) or gelu.")]
    public ClipActivation Activation { get; init; } = ClipActivation.Auto;
}

/// <summary>The activation in a CLIP's blocks.</summary>
public enum ClipActivation
{
    /// <summary>What the CLIP's files say.</summary>
    Auto,

    /// <summary>x * sigmoid(1.702 x).</summary>
    QuickGelu,

    /// <summary>x Phi(x), exact.</summary>
    Gelu,
}

/// <summary>Section loss.</summary>
public sealed record LossConfig
{
    /// <summary>Weight of the focal loss.</summary>
    [Option("Weight of the focal loss.", Min = 0)]
    public double Focal { get; init; } = 100;

    /// <summary>Weight of the Dice loss.</summary>
    [Option("Weight of the Dice loss.", Min = 0)]
    public double Dice { get; init; } = 1;

    /// <summary>Focal loss: weight of the positive pixels; negative ones weigh 1 - alpha.</summary>
    [Option("Focal loss: weight of the positive pixels; negative ones weigh 1 - alpha.", Min = 0, Max = 1)]
    public double Alpha { get; init; } = 0.25;
}
