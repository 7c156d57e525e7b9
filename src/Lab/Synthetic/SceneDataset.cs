using Ldvc.Configuration;
using Ldvc.Imaging;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// The segmentation task as a data set that is drawn on demand: scenes of the vocabulary's task, labels with all its ids (hiding the unseen ones is
/// the trainer's part), plain backgrounds 255. Scene i of a split depends on (seed, split, i) alone, so a longer data set starts with the shorter
/// one's scenes.
/// </summary>
internal sealed class SceneDataset
{
    private readonly SceneOptions _options;
    private readonly ulong _seed;

    /// <summary>A split: "train" or "val".</summary>
    public SceneDataset(string split, int count, ulong seed = 0, SceneOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _options = options ?? SceneOptions.Shapes;
        Split = split;
        Count = count;
        ulong splitNumber = split switch
        {
            "train" => 1,
            "val" => 2,
            _ => throw new ArgumentException($"expected split 'train' or 'val', got '{split}'", nameof(split)),
        };
        _seed = (seed * 4) + splitNumber;
    }

    /// <summary>Name of the data set.</summary>
    public string Name => Vocabulary == SceneVocabulary.Shapes ? "synthetic" : "synthetic-" + ConfigWriter.EnumName(Vocabulary);

    /// <summary>Which world it shows.</summary>
    public SceneVocabulary Vocabulary => _options.Task.World;

    /// <summary>Class names by label id: seen, then unseen.</summary>
    public IReadOnlyList<string> Classes => _options.Task.Names;

    /// <summary>How many of the classes, from the first, have masks in training.</summary>
    public int SeenCount => _options.Task.SeenNames.Length;

    /// <summary>"train" or "val".</summary>
    public string Split { get; }

    /// <summary>Number of scenes.</summary>
    public int Count { get; }

    /// <summary>For example "val-00012".</summary>
    public string GetId(int index) => $"{Split}-{index:D5}";

    /// <summary>Draws picture i.</summary>
    public RgbImage ReadImage(int index) => Read(index).Image;

    /// <summary>Draws the labels of picture i.</summary>
    public LabelMap ReadLabels(int index) => Read(index).Labels;

    /// <summary>Draws both.</summary>
    public (RgbImage Image, LabelMap Labels) Read(int index) => SceneRenderer.Render(GetScene(index));

    /// <summary>The description of scene i.</summary>
    public Scene GetScene(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return SceneSampler.Sample(_options, _seed, (ulong)index);
    }
}
