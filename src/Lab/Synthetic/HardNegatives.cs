using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>Groups of four object lists that differ as little as possible.</summary>
internal static class HardNegatives
{
    /// <summary>Four lists of one or two classes each; a list that would need a class outside <paramref name="classes"/> is empty.</summary>
    public static SceneClass[][] Draw(SceneClass[] classes, ref CounterRandom random)
    {
        SceneClass first = classes[random.NextInt(classes.Length)];
        SceneClass second = classes[random.NextInt(classes.Length)];
        SceneClass[][] group = random.NextDouble() < 0.65 ? OneAttribute(first, TextureCount(classes), ref random) : Swapped(first, second);
        if (classes.Length == TextureCount(classes) * Vocabulary.Colours.Length * Vocabulary.Shapes.Length)
        {
            return group;
        }

        return [.. group.Select(list => Array.TrueForAll(list, c => Array.IndexOf(classes, c) >= 0) ? list : [])];
    }

    private static int TextureCount(SceneClass[] classes) =>
        Array.Exists(classes, c => c.Texture >= Vocabulary.Textures.Length) ? Vocabulary.SceneTextures.Length : Vocabulary.Textures.Length;

    /// <summary>One object; two attributes are shared by all four, the third takes four different values.</summary>
    private static SceneClass[][] OneAttribute(SceneClass shared, int textures, ref CounterRandom random)
    {
        int attribute = random.NextInt(3);
        int values = attribute switch
        {
            0 => textures,
            1 => Vocabulary.Colours.Length,
            _ => Vocabulary.Shapes.Length,
        };
        int[] order = [.. Enumerable.Range(0, values)];
        random.Shuffle<int>(order);
        return
        [
            .. order.Take(4).Select(value => new[]
            {
                attribute switch
                {
                    0 => shared with { Texture = value },
                    1 => shared with { Colour = value },
                    _ => shared with { Shape = value },
                },
            }),
        ];
    }

    /// <summary>Two objects as they are, and with their texture, colour or shape exchanged: the same words, bound otherwise.</summary>
    private static SceneClass[][] Swapped(SceneClass a, SceneClass b) =>
    [
        [a, b],
        [a with { Texture = b.Texture }, b with { Texture = a.Texture }],
        [a with { Colour = b.Colour }, b with { Colour = a.Colour }],
        [a with { Shape = b.Shape }, b with { Shape = a.Shape }],
    ];
}
