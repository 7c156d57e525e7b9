namespace Ldvc.Inspection;

/// <summary>Something about the data that makes results worse or wrong without stopping a run.</summary>
/// <param name="Kind">One of <see cref="FindingKind"/>.</param>
/// <param name="Part">"training" or "validation"; null when it is about both or about the names.</param>
/// <param name="Text">A sentence.</param>
/// <param name="Items">All that it is about: names of classes or pictures, values.</param>
internal sealed record DataFinding(string Kind, string? Part, string Text, IReadOnlyList<string> Items);

/// <summary>The kinds of findings, as they stand in JSON.</summary>
internal static class FindingKind
{
    /// <summary>A class without a pixel.</summary>
    internal const string ClassWithoutPixels = "class-without-pixels";

    /// <summary>A picture without a label.</summary>
    internal const string PictureWithoutLabels = "picture-without-labels";

    /// <summary>Stored values that are no class.</summary>
    internal const string ValuesOutside = "values-outside";

    /// <summary>Masks that hold 0 and 255 only.</summary>
    internal const string BinaryMasks = "binary-masks";

    /// <summary>Masks whose labelled pixels are all of one class.</summary>
    internal const string OneClass = "one-class";

    /// <summary>Masks of 8 bits whose 255 is a class.</summary>
    internal const string BytesAsClass = "255-is-a-class";

    /// <summary>Masks in whose palettes one number has several colours.</summary>
    internal const string PalettesDiffer = "palettes-differ";

    /// <summary>Grey masks of different depths in which a class has different numbers.</summary>
    internal const string DepthsDiffer = "depths-differ";

    /// <summary>Unseen classes with pixels in the training part.</summary>
    internal const string UnseenInTraining = "unseen-in-training";

    /// <summary>Pictures in both parts.</summary>
    internal const string SharedPictures = "shared-pictures";

    /// <summary>Pictures that have one mask.</summary>
    internal const string SharedMasks = "shared-masks";

    /// <summary>Files that are of no picture, though they look so.</summary>
    internal const string LeftOut = "left-out";

    /// <summary>Names in many pieces.</summary>
    internal const string BrokenNames = "broken-names";
}
