namespace Ldvc.Configuration;

/// <summary>Section ablate (method.md 10).</summary>
public sealed record AblateConfig
{
    /// <summary>
    /// Rows of the comparison, in this order. Each is the configuration with another decoder: zegclip = class embeddings are the queries;
    /// language-driven = patches are the queries; self-attention = plus full self-attention; route = plus route attention; ldvc = plus text prompts.
    /// training-free is the CLIP alone, with section training_free and the windows of section eval; it is scored once and stands first.
    /// </summary>
    [Option("Rows of the comparison, in this order. Each is the configuration with another decoder: zegclip = class embeddings are the queries; "
        + "language-driven = patches are the queries; self-attention = plus full self-attention; route = plus route attention; ldvc = plus text "
        + "prompts. training-free is the CLIP alone, with section training_free and the windows of section eval; it is scored once and stands "
        + "first.", Runtime = true)]
    public AblationRow[] Rows { get; init; } =
        [AblationRow.TrainingFree, AblationRow.Zegclip, AblationRow.LanguageDriven, AblationRow.SelfAttention, AblationRow.Route, AblationRow.Ldvc];

    /// <summary>Seeds per row: train.seed and those after it.</summary>
    [Option("Seeds per row: train.seed and those after it.", Min = 1, Max = 100, Runtime = true)]
    public int Seeds { get; init; } = 3;

    /// <summary>
    /// Other choices of the unseen classes: files with a class name on every line. Every run is made for each of them, and means and standard
    /// deviations are over splits and seeds; empty = data.unseen, or the data set's own.
    /// </summary>
    [Option("Other choices of the unseen classes: files with a class name on every line. Every run is made for each of them, and means and standard "
        + "deviations are over splits and seeds; empty = data.unseen, or the data set's own.", Runtime = true)]
    public string[] Splits { get; init; } = [];

    /// <summary>
    /// Runs computed at a time (--device cpu), each with its share of the threads. Small models on few pictures keep one thread busy better than
    /// several; each run needs its own memory.
    /// </summary>
    [Option("Runs computed at a time (--device cpu), each with its share of the threads. Small models on few pictures keep one thread busy better "
        + "than several; each run needs its own memory.", Min = 1, Max = 1024, Runtime = true)]
    public int Jobs { get; init; } = 1;

    /// <summary>
    /// Folder of the comparison; not set = runs/FOLDER-NAME-ablation, from the configuration file's folder and name. The runs are in it, each an
    /// ordinary run folder.
    /// </summary>
    [Option("Folder of the comparison; not set = runs/FOLDER-NAME-ablation, from the configuration file's folder and name. The runs are in it, each "
        + "an ordinary run folder.", Runtime = true)]
    public string? Out { get; init; }

    /// <summary>Sweep: values of model.decoder.topk tried on ldvc; empty = no sweep.</summary>
    [Option("Sweep: values of model.decoder.topk tried on ldvc; empty = no sweep.", Min = 1, Max = 65536, Runtime = true)]
    public int[] Topk { get; init; } = [];

    /// <summary>Sweep: values of model.decoder.windows.</summary>
    [Option("Sweep: values of model.decoder.windows.", Min = 1, Max = 256, Runtime = true)]
    public int[] Windows { get; init; } = [];

    /// <summary>Sweep: values of model.prompts.text.</summary>
    [Option("Sweep: values of model.prompts.text.", Min = 0, Max = 64, Runtime = true)]
    public int[] TextPrompts { get; init; } = [];

    /// <summary>Sweep: values of model.prompts.vision.</summary>
    [Option("Sweep: values of model.prompts.vision.", Min = 0, Max = 4096, Runtime = true)]
    public int[] VisionPrompts { get; init; } = [];

    /// <summary>Sweep: values of model.head.</summary>
    [Option("Sweep: values of model.head.", Runtime = true)]
    public MaskHead[] Heads { get; init; } = [];

    /// <summary>
    /// Sweep: values of eval.seen_penalty, on every row, after inductive training. They only score anew; nothing is trained for them.
    /// </summary>
    [Option("Sweep: values of eval.seen_penalty, on every row, after inductive training. They only score anew; nothing is trained for "
        + "them.", Min = 0, Max = 1, Runtime = true)]
    public double[] Penalties { get; init; } = [];

    /// <summary>Seeds per value of a sweep.</summary>
    [Option("Seeds per value of a sweep.", Min = 1, Max = 100, Runtime = true)]
    public int SweepSeeds { get; init; } = 1;

    /// <summary>
    /// Learning curves: steps after which every run is scored on its way, in ascending order; the last step always is. Empty = only the last step.
    /// </summary>
    [Option("Learning curves: steps after which every run is scored on its way, in ascending order; the last step always is. Empty = only the last "
        + "step.", Min = 1, Runtime = true)]
    public int[] Curve { get; init; } = [];

    /// <summary>Validation pictures shown side by side in the report.</summary>
    [Option("Validation pictures shown side by side in the report.", Min = 0, Max = 200, Runtime = true)]
    public int Pictures { get; init; } = 8;

    /// <summary>Pictures whose chosen windows of route attention are shown.</summary>
    [Option("Pictures whose chosen windows of route attention are shown.", Min = 0, Max = 50, Runtime = true)]
    public int RoutePictures { get; init; } = 2;

    /// <summary>Query positions in them: x and y in turn, as shares of width and height.</summary>
    [Option("Query positions in them: x and y in turn, as shares of width and height.", Min = 0, Max = 1, Runtime = true)]
    public double[] Queries { get; init; } = [0.5, 0.5, 0.2, 0.3];
}

/// <summary>The rows of method.md 10.</summary>
public enum AblationRow
{
    /// <summary>ZegCLIP: class embeddings are the queries, no self-attention.</summary>
    Zegclip,

    /// <summary>Patches are the queries.</summary>
    LanguageDriven,

    /// <summary>Self-attention over all patches.</summary>
    SelfAttention,

    /// <summary>Route attention instead of full self-attention.</summary>
    Route,

    /// <summary>The whole method, with text prompts.</summary>
    Ldvc,

    /// <summary>The CLIP alone, without training.</summary>
    TrainingFree,
}
