namespace Ldvc.Configuration;

/// <summary>Section data.synthetic. Sizes are in pixels; what is not set follows from the vocabulary.</summary>
public sealed record SyntheticConfig
{
    /// <summary>
    /// shapes = the demo's world: 24 seen and 6 unseen things on plain backgrounds. scenes = the benchmark's: 40 seen and 10 unseen things on 8 kinds
    /// of stuff (seen), light, noise. scenes72 = the same with 48 seen and 16 unseen things.
    /// </summary>
    [Option("shapes = the demo's world: 24 seen and 6 unseen things on plain backgrounds. scenes = the benchmark's: 40 seen and 10 unseen things on "
        + "8 kinds of stuff (seen), light, noise. scenes72 = the same with 48 seen and 16 unseen things.")]
    public SceneVocabulary Vocabulary { get; init; } = SceneVocabulary.Shapes;

    /// <summary>Columns and rows of a scene; not set = 128 for shapes, 256 for the others.</summary>
    [Option("Columns and rows of a scene; not set = 128 for shapes, 256 for the others.", Min = 16, Max = 4096)]
    public int? Size { get; init; }

    /// <summary>Minimum number of objects per scene; not set = 2 or 3.</summary>
    [Option("Minimum number of objects per scene; not set = 2 or 3.", Min = 1, Max = 64)]
    public int? MinObjects { get; init; }

    /// <summary>Maximum number of objects per scene; not set = 6 or 8.</summary>
    [Option("Maximum number of objects per scene; not set = 6 or 8.", Min = 1, Max = 64)]
    public int? MaxObjects { get; init; }

    /// <summary>Smallest object diameter; not set = 24 or 40.</summary>
    [Option("Smallest object diameter; not set = 24 or 40.", Min = 4, Max = 4096)]
    public double? MinSize { get; init; }

    /// <summary>Largest object diameter; not set = 52 or 112.</summary>
    [Option("Largest object diameter; not set = 52 or 112.", Min = 4, Max = 4096)]
    public double? MaxSize { get; init; }

    /// <summary>How far two bounding circles may overlap: 0 not at all, 1 without limit; not set = 0.2 or 0.45.</summary>
    [Option("How far two bounding circles may overlap: 0 not at all, 1 without limit; not set = 0.2 or 0.45.", Min = 0, Max = 1)]
    public double? MaxOverlap { get; init; }

    /// <summary>Part of its radius that an object may lie outside the scene; not set = 0.5.</summary>
    [Option("Part of its radius that an object may lie outside the scene; not set = 0.5.", Min = 0, Max = 1)]
    public double? MaxCut { get; init; }

    /// <summary>
    /// Amplitude of the sensor's noise in grey levels, the same in every scene: it makes patches hard to name. Not set = 3 to 11, scene by scene. Not
    /// for shapes.
    /// </summary>
    [Option("Amplitude of the sensor's noise in grey levels, the same in every scene: it makes patches hard to name. Not set = 3 to 11, scene by "
        + "scene. Not for shapes.", Min = 0, Max = 1000)]
    public double? Noise { get; init; }

    /// <summary>Training scenes.</summary>
    [Option("Training scenes.", Min = 1, Max = 100_000_000)]
    public int TrainCount { get; init; } = 4000;

    /// <summary>Validation scenes.</summary>
    [Option("Validation scenes.", Min = 1, Max = 100_000_000)]
    public int ValCount { get; init; } = 200;

    /// <summary>Seed of the scenes; the training seed does not change them.</summary>
    [Option("Seed of the scenes; the training seed does not change them.", Min = 0)]
    public long Seed { get; init; }

    /// <summary>The same with every value set.</summary>
    internal SyntheticConfig Resolve()
    {
        bool shapes = Vocabulary == SceneVocabulary.Shapes;
        return this with
        {
            Size = Size ?? (shapes ? 128 : 256),
            MinObjects = MinObjects ?? (shapes ? 2 : 3),
            MaxObjects = MaxObjects ?? (shapes ? 6 : 8),
            MinSize = MinSize ?? (shapes ? 24 : 40),
            MaxSize = MaxSize ?? (shapes ? 52 : 112),
            MaxOverlap = MaxOverlap ?? (shapes ? 0.2 : 0.45),
            MaxCut = MaxCut ?? 0.5,
        };
    }
}

/// <summary>Which world is drawn.</summary>
public enum SceneVocabulary
{
    /// <summary>4 textures, plain backgrounds, 24 seen and 6 unseen classes: the demo.</summary>
    Shapes,

    /// <summary>8 textures on grounds of 8 materials, light and noise, 48 seen and 10 unseen classes: the benchmark.</summary>
    Scenes,

    /// <summary>The same with 56 seen and 16 unseen classes.</summary>
    Scenes72,
}
