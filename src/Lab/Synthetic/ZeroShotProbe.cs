using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// A fixed set of one-object pictures with the object's class, to score a CLIP model: which of <see cref="ClassNames"/> fits the picture best?
/// Picture i is of class i modulo the number of classes.
/// </summary>
internal sealed class ZeroShotProbe : IZeroShotProbe
{
    private readonly SceneClass[] _classes;
    private readonly SceneOptions _options;
    private readonly ulong _seed;

    private ZeroShotProbe(SceneClass[] classes, int count, int size, ulong seed, SceneVocabulary vocabulary)
    {
        _classes = classes;
        _options = new CaptionOptions(new CaptionConfig { Vocabulary = vocabulary }, size).Layout(
            SceneOptions.Shapes with { MinSize = 24, MaxSize = 52, MaxCut = 0 });
        _seed = seed;
        Count = count;
        ClassNames = [.. classes.Select(c => c.Name)];
        Prompts = [.. ClassNames.Select(name => "a photo of " + Vocabulary.WithArticle(name))];
    }

    /// <summary>Pictures.</summary>
    public int Count { get; }

    /// <summary>Columns and rows of a picture.</summary>
    public int Size => _options.Size;

    /// <summary>Names of the candidates, e.g. "striped red star".</summary>
    public string[] ClassNames { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Prompts { get; }

    /// <summary>Pictures of the things of a vocabulary's task.</summary>
    public static ZeroShotProbe Task(int count, int size = 64, ulong seed = 0x50524F4245, SceneVocabulary vocabulary = SceneVocabulary.Shapes) =>
        new(SceneTask.Of(vocabulary).Things, count, size, seed, vocabulary);

    /// <summary>Pictures of all combinations of a vocabulary.</summary>
    public static ZeroShotProbe All(int count, int size = 64, ulong seed = 0x50524F4246, SceneVocabulary vocabulary = SceneVocabulary.Shapes) =>
        new(vocabulary == SceneVocabulary.Shapes ? Vocabulary.AllClasses : Vocabulary.AllSceneClasses, count, size, seed, vocabulary);

    /// <summary>Index of picture i's class in <see cref="ClassNames"/>.</summary>
    public int LabelOf(int index) => index % _classes.Length;

    /// <summary>Draws picture i into [Size, Size, 3].</summary>
    public void Render(int index, Span<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var random = new CounterRandom(_seed, (ulong)index);
        Scene scene = SceneSampler.Place(_options, [_classes[LabelOf(index)]], ref random);
        SceneRenderer.Render(scene, pixels, []);
    }
}
