using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>Section train.</summary>
public sealed record TrainConfig
{
    /// <summary>
    /// inductive = unseen names unknown in training; transductive = known, with pseudo labels, from a checkpoint; full = every class seen.
    /// </summary>
    [Option("inductive = unseen names unknown in training; transductive = known, with pseudo labels, from a checkpoint; full = every class seen.")]
    public TrainSetting Setting { get; init; } = TrainSetting.Inductive;

    /// <summary>Optimiser steps. Published: 20000 (VOC), 80000 (COCO), 40000 (Context).</summary>
    [Option("Optimiser steps. Published: 20000 (VOC), 80000 (COCO), 40000 (Context).", Min = 1)]
    public int Iterations { get; init; } = 20000;

    /// <summary>Images per optimiser step.</summary>
    [Option("Images per optimiser step.", Min = 1, Max = 65536)]
    public int Batch { get; init; } = 16;

    /// <summary>Parts a batch is computed in, one after the other, to save memory; must divide the batch.</summary>
    [Option("Parts a batch is computed in, one after the other, to save memory; must divide the batch.", Min = 1, Max = 65536)]
    public int Accumulate { get; init; } = 1;

    /// <summary>Peak learning rate.</summary>
    [Option("Peak learning rate.", Min = 0)]
    public double Lr { get; init; } = 2e-4;

    /// <summary>AdamW's decay of the two moments.</summary>
    [Option("AdamW's decay of the two moments.", Length = 2, Min = 0, Max = 1, Below = true)]
    public double[] Betas { get; init; } = [0.9, 0.999];

    /// <summary>AdamW's epsilon.</summary>
    [Option("AdamW's epsilon.", Min = 0, Above = true)]
    public double Eps { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay, on every trained parameter.</summary>
    [Option("Decoupled weight decay, on every trained parameter.", Min = 0)]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Gradients are scaled down when their Euclidean norm, all parameters together, exceeds this; 0 = never.</summary>
    [Option("Gradients are scaled down when their Euclidean norm, all parameters together, exceeds this; 0 = never.", Min = 0)]
    public double ClipGrad { get; init; }

    /// <summary>Steps of linear warm-up; 0 = none.</summary>
    [Option("Steps of linear warm-up; 0 = none.", Min = 0)]
    public int Warmup { get; init; } = 1500;

    /// <summary>The warm-up starts at this part of the learning rate.</summary>
    [Option("The warm-up starts at this part of the learning rate.", Min = 0, Max = 1)]
    public double WarmupRatio { get; init; } = 1e-6;

    /// <summary>Exponent of the polynomial decay.</summary>
    [Option("Exponent of the polynomial decay.", Min = 0)]
    public double PolyPower { get; init; } = 0.9;

    /// <summary>The learning rate decays towards this value.</summary>
    [Option("The learning rate decays towards this value.", Min = 0)]
    public double MinLr { get; init; } = 1e-6;

    /// <summary>Seed of the initial values, the order of images, augmentation and dropout.</summary>
    [Option("Seed of the initial values, the order of images, augmentation and dropout.", Min = 0)]
    public long Seed { get; init; }

    /// <summary>
    /// fp32 = everything in 32 bits; tf32 = matrix products on tensor cores in tf32; bf16 and fp16 = the frozen vision tower (weights and
    /// activations) and attention in 16 bits, other products in tf32; fp16 rounds eight times less, and training stops at numbers beyond 65504;
    /// trained weights and sums stay fp32; all but fp32 need --device cuda (sm_80 or newer) or simulator. A run may be resumed in another one.
    /// </summary>
    [Option("fp32 = everything in 32 bits; tf32 = matrix products on tensor cores in tf32; bf16 and fp16 = the frozen vision tower (weights and "
        + "activations) and attention in 16 bits, other products in tf32; fp16 rounds eight times less, and training stops at numbers beyond 65504; "
        + "trained weights and sums stay fp32; all but fp32 need --device cuda (sm_80 or newer) or simulator. A run may be resumed in another "
        + "one.", MayChange = true)]
    public Precision Precision { get; init; } = Precision.Fp32;

    /// <summary>
    /// Whether the kernels of a step are started as one CUDA graph instead of one by one; the results are the same. auto = where there can be one; on
    /// = an error where there cannot.
    /// </summary>
    [Option("Whether the kernels of a step are started as one CUDA graph instead of one by one; the results are the same. auto = where there can be "
        + "one; on = an error where there cannot.", Runtime = true)]
    public GraphUse CudaGraph { get; init; }

    /// <summary>
    /// Folder of the run; not set = runs/FOLDER-NAME, from the configuration file's folder and name: runs/voc-inductive. `--resume` continues a run
    /// that is there.
    /// </summary>
    [Option("Folder of the run; not set = runs/FOLDER-NAME, from the configuration file's folder and name: runs/voc-inductive. `--resume` continues "
        + "a run that is there.", Runtime = true)]
    public string? Out { get; init; }

    /// <summary>
    /// Steps between checkpoints. The one at half of the steps and the last one are always written and kept; evaluations on the way write one, too.
    /// </summary>
    [Option("Steps between checkpoints. The one at half of the steps and the last one are always written and kept; evaluations on the way write one, "
        + "too.", Min = 1, Runtime = true)]
    public int CheckpointEvery { get; init; } = 2000;

    /// <summary>How many of the newest checkpoints are kept.</summary>
    [Option("How many of the newest checkpoints are kept.", Min = 1, Runtime = true)]
    public int Keep { get; init; } = 3;

    /// <summary>
    /// The checkpoint whose validation has the highest score of this kind is kept as best.safetensors besides, whatever train.keep says; needs
    /// train.eval_every.
    /// </summary>
    [Option("The checkpoint whose validation has the highest score of this kind is kept as best.safetensors besides, whatever train.keep says; needs "
        + "train.eval_every.", Runtime = true)]
    public BestScore KeepBest { get; init; }

    /// <summary>Steps between lines of metrics.jsonl and TensorBoard points.</summary>
    [Option("Steps between lines of metrics.jsonl and TensorBoard points.", Min = 1, Runtime = true)]
    public int LogEvery { get; init; } = 50;

    /// <summary>Steps between validations; 0 = only after the last step.</summary>
    [Option("Steps between validations; 0 = only after the last step.", Min = 0, Runtime = true)]
    public int EvalEvery { get; init; }

    /// <summary>Only for setting transductive.</summary>
    [Option("Only for setting transductive.")]
    public TransductiveConfig Transductive { get; init; } = new();

    /// <summary>Optimiser steps of the setting: train.iterations, or train.transductive.iterations.</summary>
    public int Steps => Setting == TrainSetting.Transductive ? Transductive.Iterations : Iterations;

    /// <summary>The step whose checkpoint is always kept: transductive training starts from it.</summary>
    public int HalfWay => Steps / 2;
}

/// <summary>Whether a step is a CUDA graph (<see cref="TrainConfig.CudaGraph"/>).</summary>
public enum GraphUse
{
    /// <summary>Where there can be one.</summary>
    Auto,

    /// <summary>It must be one.</summary>
    On,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>The score by which a run's best checkpoint is chosen (<see cref="TrainConfig.KeepBest"/>).</summary>
public enum BestScore
{
    /// <summary>None is chosen.</summary>
    None,

    /// <summary>The harmonic mean of mIoU over seen and over unseen classes.</summary>
    Hiou,

    /// <summary>mIoU over all classes.</summary>
    Miou,

    /// <summary>mIoU over unseen classes.</summary>
    MiouUnseen,
}

/// <summary>Section train.transductive.</summary>
public sealed record TransductiveConfig
{
    /// <summary>Checkpoint to start from: the half-way one of the inductive run.</summary>
    [Option("Checkpoint to start from: the half-way one of the inductive run.", Runtime = true)]
    public string? From { get; init; }

    /// <summary>Optimiser steps, with a fresh optimiser and warm-up. Published: 10000 (VOC), 40000 (COCO).</summary>
    [Option("Optimiser steps, with a fresh optimiser and warm-up. Published: 10000 (VOC), 40000 (COCO).", Min = 1)]
    public int Iterations { get; init; } = 10000;
}

/// <summary>What training knows of the unseen classes (method.md 8).</summary>
public enum TrainSetting
{
    /// <summary>Names and masks of the seen classes.</summary>
    Inductive,

    /// <summary>Names of all classes, masks of the seen ones.</summary>
    Transductive,

    /// <summary>Names and masks of all classes.</summary>
    Full,
}
