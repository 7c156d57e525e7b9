namespace Ldvc.Lab.Synthetic;

/// <summary>One kind of object: indices into <see cref="Vocabulary"/>'s texture, colour and shape tables.</summary>
internal readonly record struct SceneClass(int Texture, int Colour, int Shape)
{
    /// <summary>Position among all combinations, 0..255 for "shapes", 0..511 for "scenes".</summary>
    public int Index => (((Texture * Vocabulary.Colours.Length) + Colour) * Vocabulary.Shapes.Length) + Shape;

    /// <summary>For example "striped red star".</summary>
    public string Name => $"{Vocabulary.SceneTextures[Texture]} {Vocabulary.Colours[Colour]} {Vocabulary.Shapes[Shape]}";

    /// <summary>The class at a position among all combinations.</summary>
    public static SceneClass FromIndex(int index)
    {
        int shapes = Vocabulary.Shapes.Length;
        int colours = Vocabulary.Colours.Length;
        return new SceneClass(index / (shapes * colours), index / shapes % colours, index % shapes);
    }

    /// <summary>Reads a name such as "striped red star"; the words must be in the vocabulary.</summary>
    public static SceneClass Parse(string name)
    {
        string[] words = name.Split(' ');
        int texture = words.Length == 3 ? Array.IndexOf(Vocabulary.SceneTextures, words[0]) : -1;
        int colour = words.Length == 3 ? Array.IndexOf(Vocabulary.Colours, words[1]) : -1;
        int shape = words.Length == 3 ? Array.IndexOf(Vocabulary.Shapes, words[2]) : -1;
        if (texture < 0 || colour < 0 || shape < 0)
        {
            throw new ArgumentException($"expected 'texture colour shape', got '{name}'", nameof(name));
        }

        return new SceneClass(texture, colour, shape);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
