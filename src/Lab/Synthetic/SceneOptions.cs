using Ldvc.Configuration;

namespace Ldvc.Lab.Synthetic;

/// <summary>What scenes to draw: section data.synthetic with every value set, and what follows from the vocabulary; sizes in pixels.</summary>
internal sealed record SceneOptions
{
    /// <summary>Columns and rows.</summary>
    public required int Size { get; init; }

    /// <summary>Minimum number of objects (fewer only if they find no place).</summary>
    public required int MinObjects { get; init; }

    /// <summary>Maximum number of objects.</summary>
    public required int MaxObjects { get; init; }

    /// <summary>Smallest object diameter.</summary>
    public required float MinSize { get; init; }

    /// <summary>Largest object diameter.</summary>
    public required float MaxSize { get; init; }

    /// <summary>How far two bounding circles may overlap: 0 not at all, 1 without limit.</summary>
    public required float MaxOverlap { get; init; }

    /// <summary>Part of its radius that an object may lie outside the picture.</summary>
    public required float MaxCut { get; init; }

    /// <summary>Whose classes the labels are.</summary>
    public required SceneTask Task { get; init; }

    /// <summary>The classes to draw from, evenly.</summary>
    public required SceneClass[] Classes { get; init; }

    /// <summary>Maximum number of materials of the ground; 0 = a plain background, as in the "shapes" vocabulary.</summary>
    public required int MaxGrounds { get; init; }

    /// <summary>Amplitude of the noise on grounds in grey levels; null = drawn for each scene.</summary>
    public float? Noise { get; init; }

    /// <summary>tan(angle / 2) of the maximum angle that an object is turned by.</summary>
    public required double MaxTilt { get; init; }

    /// <summary>Those of the "shapes" vocabulary.</summary>
    public static SceneOptions Shapes { get; } = Of(SceneVocabulary.Shapes);

    /// <summary>The options of a vocabulary.</summary>
    public static SceneOptions Of(SceneVocabulary vocabulary) => Of(new SyntheticConfig { Vocabulary = vocabulary });

    /// <summary>The options of a configuration.</summary>
    public static SceneOptions Of(SyntheticConfig config)
    {
        SceneTask task = SceneTask.Of(config.Vocabulary);
        SyntheticConfig all = config.Resolve();
        return new SceneOptions
        {
            Size = all.Size!.Value,
            MinObjects = all.MinObjects!.Value,
            MaxObjects = all.MaxObjects!.Value,
            MinSize = (float)all.MinSize!.Value,
            MaxSize = (float)all.MaxSize!.Value,
            MaxOverlap = (float)all.MaxOverlap!.Value,
            MaxCut = (float)all.MaxCut!.Value,
            Task = task,
            Classes = task.Things,
            MaxGrounds = task.HasStuff ? 3 : 0,
            Noise = (float?)all.Noise,
            MaxTilt = task.HasStuff ? SceneSampler.LargeTilt : SceneSampler.SmallTilt,
        };
    }
}
