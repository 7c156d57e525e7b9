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

    [Option("Part to train on, by the name of its list or folder; not set = trainaug for voc, train otherwise. synthetic has train and val.")]
    public string? TrainPart { get; init; }

    [Option("Part to validate on; not set = val. synthetic has train and val.")]
    public string? ValPart { get; init; }

    [Option("Names of the unseen classes; empty = the data set's own split (folder: its unseen.txt or seen.txt, or else none).")]
    public string[] Unseen { get; init; } = [];

    [Option("Mean and deviation that images are normalised with: clip = CLIP's own, imagenet = what ZegCLIP's code used.")]
    public ImageStatistics ImageMean { get; init; } = ImageStatistics.Clip;

    [Option("Threads that read and augment images; 0 = chosen by the number of cores.", Min = 0, Max = 256, Runtime = true)]
    public int Workers { get; init; }

    [Option("Batches prepared ahead of the training step.", Min = 1, Max = 64, Runtime = true)]
    public int Prefetch { get; init; } = 2;

    [Option("MiB of decoded or drawn training pictures that are kept in memory for the next epoch; those that come first stay, the rest is read again. 0 = none.", Min = 0, Max = 1 << 20, Runtime = true)]
    public int Cache { get; init; }

    [Option("Scenes of kind synthetic; sizes in pixels.")]
    public SyntheticConfig Synthetic { get; init; } = new();
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
