namespace Ldvc.Configuration;

/// <summary>Section data.</summary>
public sealed record DataConfig
{
    /// <summary>voc, coco-stuff and context are the published benchmarks in their own layouts; folder = your own; synthetic = scenes drawn on demand.</summary>
    [Option("voc, coco-stuff and context are the published benchmarks in their own layouts; folder = your own; synthetic = scenes drawn on demand.")]
    public DataKind Kind { get; init; } = DataKind.Voc;

    /// <summary>The data set's folder; not used by synthetic.</summary>
    [Option("The data set's folder; not used by synthetic.", Runtime = true)]
    public string? Root { get; init; }

    /// <summary>context only: 59 classes, or 60 with the background as a class.</summary>
    [Option("context only: 59 classes, or 60 with the background as a class.", Min = 59, Max = 60)]
    public int Variant { get; init; } = 59;

    /// <summary>Part to train on, by the name of its list or folder; not set = trainaug for voc, train otherwise. synthetic has train and val.</summary>
    [Option("Part to train on, by the name of its list or folder; not set = trainaug for voc, train otherwise. synthetic has train and val.")]
    public string? TrainPart { get; init; }

    /// <summary>Part to validate on; not set = val. synthetic has train and val.</summary>
    [Option("Part to validate on; not set = val. synthetic has train and val.")]
    public string? ValPart { get; init; }

    /// <summary>Names of the unseen classes; empty = the data set's own split (folder: its unseen.txt or seen.txt, or else none).</summary>
    [Option("Names of the unseen classes; empty = the data set's own split (folder: its unseen.txt or seen.txt, or else none).")]
    public string[] Unseen { get; init; } = [];

    /// <summary>Mean and standard deviation that images are normalised with: clip = this CLIP's own (its preprocessor_config.json, else its open_clip_config.json, else OpenAI's), imagenet = what ZegCLIP's code used.</summary>
    [Option("Mean and standard deviation that images are normalised with: clip = this CLIP's own (its preprocessor_config.json, else its open_clip_config.json, else OpenAI's), imagenet = what ZegCLIP's code used.")]
    public ImageStatistics ImageMean { get; init; } = ImageStatistics.Clip;

    /// <summary>Threads that read and augment images; 0 = chosen by the number of cores.</summary>
    [Option("Threads that read and augment images; 0 = chosen by the number of cores.", Min = 0, Max = 256, Runtime = true)]
    public int Workers { get; init; }

    /// <summary>Batches prepared ahead of the training step.</summary>
    [Option("Batches prepared ahead of the training step.", Min = 1, Max = 64, Runtime = true)]
    public int Prefetch { get; init; } = 2;

    /// <summary>
    /// MiB of decoded or drawn training pictures that are kept in memory for the next epoch; the first ones are kept, the others are read again in
    /// every epoch. 0 = none.
    /// </summary>
    [Option("MiB of decoded or drawn training pictures that are kept in memory for the next epoch; the first ones are kept, the others are read again in every epoch. 0 = none.", Min = 0, Max = 1 << 20, Runtime = true)]
    public int Cache { get; init; }

    /// <summary>Scenes of kind synthetic; sizes in pixels.</summary>
    [Option("Scenes of kind synthetic; sizes in pixels.")]
    public SyntheticConfig Synthetic { get; init; } = new();
}

/// <summary>Kinds of data sets.</summary>
public enum DataKind
{
    /// <summary>PASCAL VOC 2012.</summary>
    Voc,

    /// <summary>COCO-Stuff 164k.</summary>
    CocoStuff,

    /// <summary>PASCAL Context.</summary>
    Context,

    /// <summary>Pictures and masks in folders.</summary>
    Folder,

    /// <summary>Scenes drawn on demand.</summary>
    Synthetic,
}

/// <summary>Whose mean and standard deviation normalise images (method.md 8).</summary>
public enum ImageStatistics
{
    /// <summary>CLIP's mean and standard deviation.</summary>
    Clip,

    /// <summary>ImageNet's mean and standard deviation.</summary>
    Imagenet,
}
