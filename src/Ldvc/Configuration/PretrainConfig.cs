using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>Section pretrain. Head dimension is 64 everywhere, so the towers' widths are multiples of 64.</summary>
public sealed record PretrainConfig
{
    /// <summary>The vision tower.</summary>
    [Option("The vision tower.")]
    public VisionTowerConfig Vision { get; init; } = new();

    /// <summary>The text tower.</summary>
    [Option("The text tower.")]
    public TextTowerConfig Text { get; init; } = new();

    /// <summary>The captions and pictures, as shares of the samples drawn.</summary>
    [Option("The captions and pictures, as shares of the samples drawn.")]
    public CaptionConfig Captions { get; init; } = new();

    /// <summary>Width of the joint embedding.</summary>
    [Option("Width of the joint embedding.", Min = 8, Max = 4096)]
    public int Embed { get; init; } = 128;

    /// <summary>
    /// CLIP to start from, a folder or a weights file of the same sizes: its weights, temperature and tokens replace random weights,
    /// pretrain.temperature and tokens learnt from captions. Not set = random weights.
    /// </summary>
    [Option("CLIP to start from, a folder or a weights file of the same sizes: its weights, temperature and tokens replace random weights, "
        + "pretrain.temperature and tokens learnt from captions. Not set = random weights.")]
    public string? Init { get; init; }

    /// <summary>Optimiser steps.</summary>
    [Option("Optimiser steps.", Min = 1)]
    public int Steps { get; init; } = 6000;

    /// <summary>Pairs of picture and caption per step.</summary>
    [Option("Pairs of picture and caption per step.", Min = 2, Max = 65536)]
    public int Batch { get; init; } = 128;

    /// <summary>Peak learning rate; cosine decay to zero.</summary>
    [Option("Peak learning rate; cosine decay to zero.", Min = 0)]
    public double Lr { get; init; } = 1e-3;

    /// <summary>Steps of linear warm-up.</summary>
    [Option("Steps of linear warm-up.", Min = 0)]
    public int Warmup { get; init; } = 300;

    /// <summary>AdamW's decay of the two moments.</summary>
    [Option("AdamW's decay of the two moments.", Length = 2, Min = 0, Max = 1, Below = true)]
    public double[] Betas { get; init; } = [0.9, 0.98];

    /// <summary>AdamW's epsilon.</summary>
    [Option("AdamW's epsilon.", Min = 0, Above = true)]
    public double Eps { get; init; } = 1e-6;

    /// <summary>Decoupled weight decay, on matrices only.</summary>
    [Option("Decoupled weight decay, on matrices only.", Min = 0)]
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Initial temperature of the contrastive loss; trained.</summary>
    [Option("Initial temperature of the contrastive loss; trained.", Min = 0.01, Max = 100)]
    public double Temperature { get; init; } = 0.07;

    /// <summary>Minimum temperature; 0.01 is CLIP's. A higher one pushes embeddings of similar names further apart.</summary>
    [Option("Minimum temperature; 0.01 is CLIP's. A higher one pushes embeddings of similar names further apart.", Min = 0.01, Max = 100)]
    public double LeastTemperature { get; init; } = 0.01;

    /// <summary>
    /// Weight of the same contrastive loss on the mean of the patch tokens, which makes patches usable for segmentation; 0 = plain CLIP.
    /// </summary>
    [Option("Weight of the same contrastive loss on the mean of the patch tokens, which makes patches usable for segmentation; 0 = plain "
        + "CLIP.", Min = 0, Max = 100)]
    public double PatchLoss { get; init; } = 1;

    /// <summary>
    /// Sharpness of the patch loss: 0 = the mean of all patches is compared with the text; above 0, every patch is, and the similarities s are
    /// combined by a soft maximum (log of the mean of e^(patch_focus s), divided by patch_focus), so that patches beside the object count less.
    /// </summary>
    [Option("Sharpness of the patch loss: 0 = the mean of all patches is compared with the text; above 0, every patch is, and the "
        + "similarities s are combined by a soft maximum (log of the mean of e^(patch_focus s), divided by patch_focus), so that patches beside the "
        + "object count less.", Min = 0, Max = 1000)]
    public double PatchFocus { get; init; }

    /// <summary>Seed of the initial values and of the samples.</summary>
    [Option("Seed of the initial values and of the samples.", Min = 0)]
    public long Seed { get; init; }

    /// <summary>
    /// Precision of matrix products: fp32; tf32 = on tensor cores; bf16 and fp16 = as tf32, and attention in that; all but fp32 need --device cuda
    /// (sm_80 or newer) or simulator. A run may be resumed in another one.
    /// </summary>
    [Option("Precision of matrix products: fp32; tf32 = on tensor cores; bf16 and fp16 = as tf32, and attention in that; all but fp32 need --device "
        + "cuda (sm_80 or newer) or simulator. A run may be resumed in another one.", MayChange = true)]
    public Precision Precision { get; init; } = Precision.Fp32;

    /// <summary>
    /// Folder the CLIP is written to (Hugging Face layout); not set = runs/FOLDER-NAME, from the configuration file's folder and name. The run itself
    /// is kept beside it, in a folder named like it with -run.
    /// </summary>
    [Option("Folder the CLIP is written to (Hugging Face layout); not set = runs/FOLDER-NAME, from the configuration file's folder and name. The run "
        + "itself is kept beside it, in a folder named like it with -run.", Runtime = true)]
    public string? Out { get; init; }

    /// <summary>Steps between checkpoints.</summary>
    [Option("Steps between checkpoints.", Min = 1, Runtime = true)]
    public int CheckpointEvery { get; init; } = 1000;

    /// <summary>Steps between lines of metrics.jsonl.</summary>
    [Option("Steps between lines of metrics.jsonl.", Min = 1, Runtime = true)]
    public int LogEvery { get; init; } = 50;
}

/// <summary>Section pretrain.vision.</summary>
public sealed record VisionTowerConfig
{
    /// <summary>Columns and rows of a picture; a multiple of the patch.</summary>
    [Option("Columns and rows of a picture; a multiple of the patch.", Min = 16, Max = 1024)]
    public int Image { get; init; } = 64;

    /// <summary>Columns and rows of a patch.</summary>
    [Option("Columns and rows of a patch.", Min = 2, Max = 64)]
    public int Patch { get; init; } = 8;

    /// <summary>Width, a multiple of 64.</summary>
    [Option("Width, a multiple of 64.", Min = 64, Max = 4096)]
    public int Width { get; init; } = 128;

    /// <summary>Transformer layers.</summary>
    [Option("Transformer layers.", Min = 1, Max = 64)]
    public int Layers { get; init; } = 4;
}

/// <summary>Section pretrain.text.</summary>
public sealed record TextTowerConfig
{
    /// <summary>Width, a multiple of 64.</summary>
    [Option("Width, a multiple of 64.", Min = 64, Max = 4096)]
    public int Width { get; init; } = 128;

    /// <summary>Transformer layers.</summary>
    [Option("Transformer layers.", Min = 1, Max = 64)]
    public int Layers { get; init; } = 4;

    /// <summary>Longest text in tokens, start and end included.</summary>
    [Option("Longest text in tokens, start and end included.", Min = 8, Max = 1024)]
    public int Context { get; init; } = 32;

    /// <summary>Maximum number of tokens of the byte-pair vocabulary: 512 for bytes, 2 special ones, the rest merges learnt from captions.</summary>
    [Option("Maximum number of tokens of the byte-pair vocabulary: 512 for bytes, 2 special ones, the rest merges learnt from "
        + "captions.", Min = 514, Max = 65536)]
    public int Vocabulary { get; init; } = 768;
}

/// <summary>Section pretrain.captions.</summary>
public sealed record CaptionConfig
{
    /// <summary>The world that is drawn and named, as in data.synthetic.vocabulary.</summary>
    [Option("The world that is drawn and named, as in data.synthetic.vocabulary.")]
    public SceneVocabulary Vocabulary { get; init; } = SceneVocabulary.Shapes;

    /// <summary>Share of each batch made of groups of four that differ in one attribute only.</summary>
    [Option("Share of each batch made of groups of four that differ in one attribute only.", Min = 0, Max = 1)]
    public double Hard { get; init; } = 0.5;

    /// <summary>Share of the free one-object samples whose caption leaves attributes out.</summary>
    [Option("Share of the free one-object samples whose caption leaves attributes out.", Min = 0, Max = 1)]
    public double Partial { get; init; } = 0.1;

    /// <summary>Share of the free samples with two objects.</summary>
    [Option("Share of the free samples with two objects.", Min = 0, Max = 1)]
    public double Two { get; init; } = 0.3;

    /// <summary>Share of the free samples with three objects.</summary>
    [Option("Share of the free samples with three objects.", Min = 0, Max = 1)]
    public double Three { get; init; } = 0.04;

    /// <summary>
    /// Share of the free samples that are a window of a scene: of one four times as large, or, but for shapes, of the task's own scenes.
    /// </summary>
    [Option("Share of the free samples that are a window of a scene: of one four times as large, or, but for shapes, of the task's own "
        + "scenes.", Min = 0, Max = 1)]
    public double Crop { get; init; } = 0.06;

    /// <summary>
    /// Share of those windows whose caption names only one of the objects, so that only the patches that show it can match the caption.
    /// </summary>
    [Option("Share of those windows whose caption names only one of the objects, so that only the patches that show it can match the "
        + "caption.", Min = 0, Max = 1)]
    public double One { get; init; }

    /// <summary>not for shapes: share of the free samples without any object, one or two kinds of stuff.</summary>
    [Option("not for shapes: share of the free samples without any object, one or two kinds of stuff.", Min = 0, Max = 1)]
    public double Stuff { get; init; } = 0.08;
}
