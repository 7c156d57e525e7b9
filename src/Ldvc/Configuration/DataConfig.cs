namespace Ldvc.Configuration;

/// <summary>Section data.</summary>
internal sealed record DataConfig
{
    [Option("voc, coco-stuff and context are the published benchmarks in their own layouts; folder = your own; synthetic = scenes drawn on demand.")]
    public DataKind Kind { get; init; } = DataKind.Voc;

    [Option("The data set's folder; not used by synthetic.", Runtime = true)]
    public string? Root { get; init; }

    [Option("context only: 59 classes, or 60 with the background as a class.", Min = 59, Max = 60)]
    public int Variant { get; init; } = 59;

    [Option("Part to train on, by the name of its list or folder; not set = trainaug for voc, train otherwise. Not used by synthetic.")]
    public string? TrainPart { get; init; }

    [Option("Part to validate on; not set = val.")]
    public string? ValPart { get; init; }

    [Option("Names of the unseen classes; empty = the data set's published split (none for folder).")]
    public string[] Unseen { get; init; } = [];

    [Option("Mean and deviation that images are normalised with: clip = CLIP's own, imagenet = what ZegCLIP's code used.")]
    public ImageStatistics ImageMean { get; init; } = ImageStatistics.Clip;

    [Option("Threads that read and augment images; 0 = chosen by the number of cores.", Min = 0, Max = 256, Runtime = true)]
    public int Workers { get; init; }

    [Option("Batches prepared ahead of the training step.", Min = 1, Max = 64, Runtime = true)]
    public int Prefetch { get; init; } = 2;

    [Option("Scenes of kind synthetic; sizes in pixels.")]
    public SyntheticConfig Synthetic { get; init; } = new();
}

/// <summary>Section data.synthetic; see SceneOptions for what the numbers do.</summary>
internal sealed record SyntheticConfig
{
    [Option("Columns and rows of a scene.", Min = 16, Max = 4096)]
    public int Size { get; init; } = 128;

    [Option("Fewest objects per scene.", Min = 1, Max = 64)]
    public int MinObjects { get; init; } = 2;

    [Option("Most objects per scene.", Min = 1, Max = 64)]
    public int MaxObjects { get; init; } = 6;

    [Option("Smallest object diameter.", Min = 4, Max = 4096)]
    public double MinSize { get; init; } = 24;

    [Option("Largest object diameter.", Min = 4, Max = 4096)]
    public double MaxSize { get; init; } = 52;

    [Option("How far two bounding circles may run into each other: 0 not at all, 1 any place.", Min = 0, Max = 1)]
    public double MaxOverlap { get; init; } = 0.2;

    [Option("Part of its radius that an object may lie outside the scene.", Min = 0, Max = 1)]
    public double MaxCut { get; init; } = 0.5;

    [Option("Training scenes.", Min = 1)]
    public int TrainCount { get; init; } = 4000;

    [Option("Validation scenes.", Min = 1)]
    public int ValCount { get; init; } = 200;

    [Option("Seed of the scenes; the training seed does not change them.", Min = 0)]
    public long Seed { get; init; }
}

/// <summary>Kinds of data sets.</summary>
internal enum DataKind
{
    Voc,
    CocoStuff,
    Context,
    Folder,
    Synthetic,
}

/// <summary>Whose mean and deviation normalise images (method.md 8).</summary>
internal enum ImageStatistics
{
    Clip,
    Imagenet,
}
