using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>Random scenes; scene i of a seed is a pure function of (options, seed, i).</summary>
internal static class SceneSampler
{
    private const int PlacementTries = 24;

    /// <summary>tan(10 degrees): shapes turn by at most 20 degrees, so that a square never looks like a diamond.</summary>
    internal const double SmallTilt = 0.176327;

    /// <summary>
    /// tan(15 degrees): up to 30 degrees. A square at 45 is still no diamond, which is higher than wide, but it would come near one.
    /// </summary>
    internal const double LargeTilt = 0.267949;

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
        ulong seed = random.NextBits();
        Ground? ground = options.MaxGrounds > 0 ? Ground.Draw(options.Size, options.MaxGrounds, seed) : null;
        if (options.Noise is { } noise)
        {
            ground = ground! with { Noise = noise };
        }

        return new Scene(options.Size, options.Size, seed, background, pattern, [.. objects]) { Ground = ground, Task = options.Task };
    }

    private static PlacedObject Draw(SceneOptions options, SceneClass sceneClass, ref CounterRandom random)
    {
        float size = (float)random.NextDouble(options.MinSize, options.MaxSize);
        float low = 0.5f * size * (1 - options.MaxCut);
        float high = options.Size - low;
        float x = (float)random.NextDouble(low, high);
        float y = (float)random.NextDouble(low, high);
        float tilt = (float)random.NextDouble(-options.MaxTilt, options.MaxTilt);
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
