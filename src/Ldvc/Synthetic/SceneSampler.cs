using Ldvc.Tensors;

namespace Ldvc.Synthetic;

/// <summary>What scenes to draw; sizes in pixels.</summary>
internal sealed record SceneOptions
{
    /// <summary>Columns and rows.</summary>
    public int Size { get; init; } = 128;

    /// <summary>Fewest objects (fewer only if they find no place).</summary>
    public int MinObjects { get; init; } = 2;

    /// <summary>Most objects.</summary>
    public int MaxObjects { get; init; } = 6;

    /// <summary>Smallest object diameter.</summary>
    public float MinSize { get; init; } = 24;

    /// <summary>Largest object diameter.</summary>
    public float MaxSize { get; init; } = 52;

    /// <summary>How far two bounding circles may run into each other: 0 not at all, 1 any place.</summary>
    public float MaxOverlap { get; init; } = 0.2f;

    /// <summary>Part of its radius that an object may lie outside the picture.</summary>
    public float MaxCut { get; init; } = 0.5f;

    /// <summary>The classes to draw from, evenly.</summary>
    public SceneClass[] Classes { get; init; } = TaskClasses.Classes;
}

/// <summary>Random scenes; scene i of a seed is a pure function of (options, seed, i).</summary>
internal static class SceneSampler
{
    private const int PlacementTries = 24;

    /// <summary>tan(10 degrees): shapes turn by at most 20 degrees, so that a square never looks like a diamond.</summary>
    private const double MaxTilt = 0.176327;

    /// <summary>Draws scene <paramref name="index"/> of <paramref name="seed"/>.</summary>
    public static Scene Sample(SceneOptions options, ulong seed, ulong index)
    {
        var random = new CounterRandom(seed, index);
        int wanted = random.NextInt(options.MinObjects, options.MaxObjects + 1);
        var classes = new SceneClass[wanted];
        for (int i = 0; i < wanted; i++)
        {
            classes[i] = options.Classes[random.NextInt(options.Classes.Length)];
        }

        return Place(options, classes, ref random);
    }

    /// <summary>Places objects of the given classes in this order; an object that finds no place is left out, the first always finds one.</summary>
    public static Scene Place(SceneOptions options, ReadOnlySpan<SceneClass> classes, ref CounterRandom random)
    {
        var objects = new List<PlacedObject>(classes.Length);
        foreach (SceneClass sceneClass in classes)
        {
            for (int attempt = 0; attempt < PlacementTries; attempt++)
            {
                PlacedObject candidate = Draw(options, sceneClass, ref random);
                if (Fits(candidate, objects, options.MaxOverlap))
                {
                    objects.Add(candidate);
                    break;
                }
            }
        }

        int background = random.NextInt(Vocabulary.Backgrounds.Length);
        var pattern = (BackgroundPattern)random.NextInt(4);
        return new Scene(options.Size, options.Size, random.NextBits(), background, pattern, [.. objects]);
    }

    private static PlacedObject Draw(SceneOptions options, SceneClass sceneClass, ref CounterRandom random)
    {
        float size = (float)random.NextDouble(options.MinSize, options.MaxSize);
        float low = 0.5f * size * (1 - options.MaxCut);
        float high = options.Size - low;
        float x = (float)random.NextDouble(low, high);
        float y = (float)random.NextDouble(low, high);
        float tilt = (float)random.NextDouble(-MaxTilt, MaxTilt);
        return new PlacedObject(sceneClass, x, y, size, tilt, random.NextBits());
    }

    private static bool Fits(PlacedObject candidate, List<PlacedObject> others, float maxOverlap)
    {
        foreach (PlacedObject other in others)
        {
            float dx = candidate.X - other.X;
            float dy = candidate.Y - other.Y;
            float least = 0.5f * (candidate.Size + other.Size) * (1 - maxOverlap);
            if ((dx * dx) + (dy * dy) < least * least)
            {
                return false;
            }
        }

        return true;
    }
}
