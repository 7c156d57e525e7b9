using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>Sentences about objects, from a few templates.</summary>
internal static class CaptionWriter
{
    /// <summary>A sentence that names each of the objects in full, and sometimes where they are or on what background.</summary>
    public static string Full(ReadOnlySpan<PlacedObject> objects, Scene scene, ref CounterRandom random)
    {
        string phrase = objects.Length switch
        {
            1 => A(objects[0]),
            2 => Pair(objects[0], objects[1], ref random),
            3 => $"{A(objects[0])} and {A(objects[1])} and {A(objects[2])}",
            _ => throw new ArgumentException($"expected 1 to 3 objects, got {objects.Length}", nameof(objects)),
        };
        double style = random.NextDouble();
        if (scene.Ground is { } ground)
        {
            // A crop may show less than its ground has: materials are named only where all of them can be seen.
            phrase += style < 0.6 && IsWhole(scene, ground) ? " on " + string.Join(" and ", ground.Stuff.Select(s => Stuff.Names[s])) : "";
        }
        else if (style < 0.2 && objects.Length < 3)
        {
            phrase += $" on a {Vocabulary.Backgrounds[scene.Background]} background";
        }

        double opening = random.NextDouble();
        return opening < 0.6 ? "a photo of " + phrase : opening < 0.7 ? "a picture of " + phrase : phrase;
    }

    /// <summary>A sentence about one object that leaves one or two of its attributes out.</summary>
    public static string Partial(SceneClass sceneClass, Scene scene, ref CounterRandom random)
    {
        string texture = Vocabulary.SceneTextures[sceneClass.Texture];
        string colour = Vocabulary.Colours[sceneClass.Colour];
        string shape = Vocabulary.Shapes[sceneClass.Shape];
        return random.NextInt(6) switch
        {
            0 => "a photo of " + Vocabulary.WithArticle($"{colour} {shape}"),
            1 => Vocabulary.WithArticle($"{colour} {shape}"),
            2 => "a photo of " + Vocabulary.WithArticle($"{texture} {shape}"),
            3 => $"something {texture} and {colour}",
            4 when scene.Ground is { } ground => $"{Vocabulary.WithArticle(shape)} on "
                + $"{string.Join(" and ", ground.Stuff.Select(s => Stuff.Names[s]))}",
            4 => $"{Vocabulary.WithArticle(shape)} on a {Vocabulary.Backgrounds[scene.Background]} background",
            _ => "a photo of " + Vocabulary.WithArticle(shape),
        };
    }

    /// <summary>A sentence about a picture without objects.</summary>
    public static string StuffAlone(Ground ground, ref CounterRandom random)
    {
        string phrase = string.Join(" and ", ground.Stuff.Select(s => Stuff.Names[s]));
        return random.NextDouble() < 0.7 ? "a photo of " + phrase : phrase;
    }

    private static bool IsWhole(Scene scene, Ground ground) =>
        ground.Stuff.Length == 1 || (scene.OriginX == 0 && scene.OriginY == 0 && ground.Borders[^1] < 0.9f * scene.Height);

    private static string A(PlacedObject placed) => Vocabulary.WithArticle(placed.Class.Name);

    private static string Pair(PlacedObject first, PlacedObject second, ref CounterRandom random)
    {
        bool tellPlace = random.NextDouble() < 0.4;
        float dx = second.X - first.X;
        float dy = second.Y - first.Y;
        string relation = "and";

        // A place is told only where it is beyond doubt: one direction clearly larger than the other.
        if (tellPlace && MathF.Abs(dx) > 1.4f * MathF.Abs(dy))
        {
            relation = dx > 0 ? "left of" : "right of";
        }
        else if (tellPlace && MathF.Abs(dy) > 1.4f * MathF.Abs(dx))
        {
            relation = dy > 0 ? "above" : "below";
        }

        return $"{A(first)} {relation} {A(second)}";
    }
}
