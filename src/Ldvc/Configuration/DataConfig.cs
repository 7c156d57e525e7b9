using Ldvc.Synthetic;

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

/// <summary>Section data.synthetic; see SceneOptions for what the numbers do.</summary>
internal sealed record SyntheticConfig
{
    [Option("shapes = the demo's world: 24 seen and 6 unseen things on plain backgrounds. scenes = the benchmark's: 40 seen and 10 unseen things on 8 kinds of stuff (seen), light, noise.")]
    public SceneVocabulary Vocabulary { get; init; } = SceneVocabulary.Shapes;

    [Option("Columns and rows of a scene; not set = 128 for shapes, 256 for scenes.", Min = 16, Max = 4096)]
    public int? Size { get; init; }

    [Option("Fewest objects per scene; not set = 2 or 3.", Min = 1, Max = 64)]
    public int? MinObjects { get; init; }

    [Option("Most objects per scene; not set = 6 or 8.", Min = 1, Max = 64)]
    public int? MaxObjects { get; init; }

    [Option("Smallest object diameter; not set = 24 or 40.", Min = 4, Max = 4096)]
    public double? MinSize { get; init; }

    [Option("Largest object diameter; not set = 52 or 112.", Min = 4, Max = 4096)]
    public double? MaxSize { get; init; }

    [Option("How far two bounding circles may run into each other: 0 not at all, 1 any place; not set = 0.2 or 0.45.", Min = 0, Max = 1)]
    public double? MaxOverlap { get; init; }

    [Option("Part of its radius that an object may lie outside the scene; not set = 0.5.", Min = 0, Max = 1)]
    public double? MaxCut { get; init; }

    [Option("Training scenes.", Min = 1)]
    public int TrainCount { get; init; } = 4000;

    [Option("Validation scenes.", Min = 1)]
    public int ValCount { get; init; } = 200;

    [Option("Seed of the scenes; the training seed does not change them.", Min = 0)]
    public long Seed { get; init; }

    /// <summary>What is drawn: the vocabulary's options with what is set here.</summary>
    internal SceneOptions Options()
    {
        var own = SceneOptions.Of(Vocabulary);
        return own with
        {
            Size = Size ?? own.Size,
            MinObjects = MinObjects ?? own.MinObjects,
            MaxObjects = MaxObjects ?? own.MaxObjects,
            MinSize = (float?)MinSize ?? own.MinSize,
            MaxSize = (float?)MaxSize ?? own.MaxSize,
            MaxOverlap = (float?)MaxOverlap ?? own.MaxOverlap,
            MaxCut = (float?)MaxCut ?? own.MaxCut,
        };
    }
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
