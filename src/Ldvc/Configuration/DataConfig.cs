namespace Ldvc.Configuration;

/// <summary>Section data.</summary>
public sealed record DataConfig
{
    /// <summary>
    /// voc, coco-stuff and context are the published benchmarks in their own layouts; folder = your own; synthetic = scenes drawn on demand.
    /// </summary>
    [Option("voc, coco-stuff and context are the published benchmarks in their own layouts; folder = your own; synthetic = scenes drawn on demand.")]
    public DataKind Kind { get; init; } = DataKind.Voc;

    /// <summary>The data set's folder; not used by synthetic.</summary>
    [Option("The data set's folder; not used by synthetic.", Runtime = true)]
    public string? Root { get; init; }

    /// <summary>context only: 59 classes, or 60 with the background as a class.</summary>
    [Option("context only: 59 classes, or 60 with the background as a class.", Min = 59, Max = 60)]
    public int Variant { get; init; } = 59;

    /// <summary>
    /// Part to train on, by the name of its list or folder; not set = trainaug for voc, train otherwise. synthetic has train and val.
    /// </summary>
    [Option("Part to train on, by the name of its list or folder; not set = trainaug for voc, train otherwise. synthetic has train and val.")]
    public string? TrainPart { get; init; }

    /// <summary>Part to validate on; not set = val. synthetic has train and val.</summary>
    [Option("Part to validate on; not set = val. synthetic has train and val.")]
    public string? ValPart { get; init; }

    /// <summary>
    /// folder only: names of the classes in order; empty = classes.txt in the data set's folder, or else the names of data.values or data.colors.
    /// </summary>
    [Option("folder only: names of the classes in order; empty = classes.txt in the data set's folder, or else the names of data.values or "
        + "data.colors.")]
    public string[] Classes { get; init; } = [];

    /// <summary>Stored values of masks that mean "no label", besides 255 (and 65535 in 16 bits).</summary>
    [Option("Stored values of masks that mean \"no label\", besides 255 (and 65535 in 16 bits).", Min = 0, Max = 65535)]
    public int[] Ignore { get; init; } = [];

    /// <summary>
    /// folder only: true = 0 means "no label" and 1 is the first class, as in ADE20K (mmsegmentation's reduce_zero_label); false = 0 is the first
    /// class. Not set = true where pictures lie in JPEGImages, as in PASCAL VOC, unless data.values says what numbers mean; else false.
    /// </summary>
    [Option("folder only: true = 0 means \"no label\" and 1 is the first class, as in ADE20K (mmsegmentation's reduce_zero_label); false = 0 is the "
        + "first class. Not set = true where pictures lie in JPEGImages, as in PASCAL VOC, unless data.values says what numbers mean; else false.")]
    public bool? ZeroIsIgnored { get; init; }

    /// <summary>
    /// folder only: the class of each stored value, {7: road, 8: sidewalk}; all other values mean "no label". Several values may be one class.
    /// </summary>
    [Option("folder only: the class of each stored value, {7: road, 8: sidewalk}; all other values mean \"no label\". Several values may be one "
        + "class.", Min = 0, Max = 65535)]
    public KeyValuePair<int, string>[] Values { get; init; } = [];

    /// <summary>
    /// folder only: file with a line "r g b name" for each colour of masks that are RGB pictures; a line without a name is a colour that means "no
    /// label".
    /// </summary>
    [Option("folder only: file with a line \"r g b name\" for each colour of masks that are RGB pictures; a line without a name is a colour that "
        + "means \"no label\".", Place = true)]
    public string? Colors { get; init; }

    /// <summary>
    /// folder only: where the pictures lie below data.root, sub-folders included; {part} stands for the part's name. Not set = images (or
    /// JPEGImages).
    /// </summary>
    [Option("folder only: where the pictures lie below data.root, sub-folders included; {part} stands for the part's name. Not set = images (or "
        + "JPEGImages).")]
    public string? Images { get; init; }

    /// <summary>
    /// folder only: where the masks lie below data.root, in the same sub-folders as the pictures; {part} stands for the part's name. Not set = masks
    /// (or SegmentationClass).
    /// </summary>
    [Option("folder only: where the masks lie below data.root, in the same sub-folders as the pictures; {part} stands for the part's name. Not set = "
        + "masks (or SegmentationClass).")]
    public string? Masks { get; init; }

    /// <summary>
    /// folder only: how file names of pictures end, e.g. _leftImg8bit.png; what precedes it is the picture's name. Not set = any picture's extension.
    /// </summary>
    [Option("folder only: how file names of pictures end, e.g. _leftImg8bit.png; what precedes it is the picture's name. Not set = any picture's "
        + "extension.")]
    public string? ImageSuffix { get; init; }

    /// <summary>folder only: what follows a picture's name in its mask's file name, e.g. _gtFine_labelIds.png. Not set = .png.</summary>
    [Option("folder only: what follows a picture's name in its mask's file name, e.g. _gtFine_labelIds.png. Not set = .png.")]
    public string? MaskSuffix { get; init; }

    /// <summary>Names of the unseen classes; empty = the data set's own split (folder: its unseen.txt or seen.txt, or else none).</summary>
    [Option("Names of the unseen classes; empty = the data set's own split (folder: its unseen.txt or seen.txt, or else none).")]
    public string[] Unseen { get; init; } = [];

    /// <summary>
    /// Mean and standard deviation that images are normalised with: clip = this CLIP's own (its preprocessor_config.json, else its
    /// open_clip_config.json, else OpenAI's), imagenet = what ZegCLIP's code used.
    /// </summary>
    [Option("Mean and standard deviation that images are normalised with: clip = this CLIP's own (its preprocessor_config.json, else its "
        + "open_clip_config.json, else OpenAI's), imagenet = what ZegCLIP's code used.")]
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
    [Option("MiB of decoded or drawn training pictures that are kept in memory for the next epoch; the first ones are kept, the others are read "
        + "again in every epoch. 0 = none.", Min = 0, Max = 1 << 20, Runtime = true)]
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
