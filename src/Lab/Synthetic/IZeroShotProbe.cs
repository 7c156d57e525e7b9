namespace Ldvc.Lab.Synthetic;

/// <summary>A fixed set of drawn pictures, each with the right one of a list of sentences: which of them fits the picture best?</summary>
internal interface IZeroShotProbe
{
    /// <summary>Pictures.</summary>
    int Count { get; }

    /// <summary>The candidates, e.g. "a photo of a striped red star".</summary>
    IReadOnlyList<string> Prompts { get; }

    /// <summary>Index of picture i's sentence in <see cref="Prompts"/>.</summary>
    int LabelOf(int index);

    /// <summary>Draws picture i into [Size, Size, 3].</summary>
    void Render(int index, Span<byte> pixels);
}
