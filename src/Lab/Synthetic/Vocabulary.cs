namespace Ldvc.Lab.Synthetic;

/// <summary>
/// The words of the synthetic world. A class is one texture, one colour and one shape; the index of a word in its table is the number used
/// everywhere.
/// </summary>
internal static class Vocabulary
{
    /// <summary>How the colour is laid out; "plain" is always written.</summary>
    public static readonly string[] Textures = ["plain", "striped", "dotted", "checkered"];

    /// <summary>Textures of the "scenes" vocabulary: those of "shapes" and four more.</summary>
    public static readonly string[] SceneTextures = [.. Textures, "zigzag", "ringed", "netted", "speckled"];

    /// <summary>Colour words, same order as <see cref="ColourValues"/>.</summary>
    public static readonly string[] Colours = ["red", "green", "blue", "yellow", "purple", "orange", "cyan", "white"];

    /// <summary>Shape words.</summary>
    public static readonly string[] Shapes = ["circle", "square", "triangle", "star", "cross", "ring", "heart", "diamond"];

    /// <summary>Background words, same order as <see cref="BackgroundValues"/>.</summary>
    public static readonly string[] Backgrounds = ["dark", "grey", "pale", "brown"];

    /// <summary>sRGB of the colours, 0..255.</summary>
    public static readonly (byte R, byte G, byte B)[] ColourValues =
    [
        (212, 30, 38), (36, 158, 52), (36, 70, 214), (242, 218, 40), (146, 44, 178), (244, 128, 16), (52, 206, 222), (242, 242, 242),
    ];

    /// <summary>sRGB of the backgrounds: unsaturated, so that none is an object colour.</summary>
    public static readonly (byte R, byte G, byte B)[] BackgroundValues = [(64, 66, 72), (122, 122, 122), (178, 175, 166), (126, 106, 88)];

    /// <summary>Words of the caption templates that are no attribute; together with the tables they are all words a caption can hold.</summary>
    public static readonly string[] TemplateWords =
        ["a", "an", "photo", "picture", "of", "and", "on", "left", "right", "above", "below", "something", "background"];

    /// <summary>Number of texture, colour and shape combinations (256).</summary>
    public static int CombinationCount => Textures.Length * Colours.Length * Shapes.Length;

    /// <summary>All combinations by <see cref="SceneClass.Index"/>: the classes that captions talk about.</summary>
    public static SceneClass[] AllClasses { get; } = [.. Enumerable.Range(0, CombinationCount).Select(SceneClass.FromIndex)];

    /// <summary>Number of combinations of the "scenes" vocabulary (512); the first 256 are those of "shapes".</summary>
    public static int SceneCombinationCount => SceneTextures.Length * Colours.Length * Shapes.Length;

    /// <summary>All combinations of the "scenes" vocabulary by <see cref="SceneClass.Index"/>.</summary>
    public static SceneClass[] AllSceneClasses { get; } = [.. Enumerable.Range(0, SceneCombinationCount).Select(SceneClass.FromIndex)];

    /// <summary>Every word that can occur in a caption or class name, without repeats, for building a tokenizer's vocabulary.</summary>
    public static string[] AllWords() => [.. TemplateWords.Concat(Textures).Concat(Colours).Concat(Shapes).Concat(Backgrounds).Distinct()];

    /// <summary>"an orange" or "a red": the phrase with its article.</summary>
    public static string WithArticle(string phrase) => (phrase.Length > 0 && "aeiou".Contains(phrase[0]) ? "an " : "a ") + phrase;
}
