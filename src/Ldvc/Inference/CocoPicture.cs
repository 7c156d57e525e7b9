using Ldvc.Imaging;

namespace Ldvc.Inference;

/// <summary>One class's pixels in a picture.</summary>
/// <param name="Class">Its index.</param>
/// <param name="Counts">Compressed run lengths.</param>
/// <param name="Area">Number of pixels.</param>
/// <param name="Bbox">Left, top, width and height of what encloses them.</param>
internal sealed record CocoMask(int Class, string Counts, long Area, int[] Bbox);

/// <summary>A picture's part of a file of COCO annotations, before anything is numbered.</summary>
/// <param name="FileName">The picture.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Masks">The classes that occur, by index.</param>
internal sealed record CocoPicture(string FileName, int Width, int Height, CocoMask[] Masks)
{
    /// <summary>The masks of a result.</summary>
    /// <param name="source">
    /// The picture. Its name in the file is the one below the folder or pattern that was given, as data sets have it, so a copy of that folder
    /// elsewhere goes with the same file.
    /// </param>
    /// <param name="labels">Its labels.</param>
    /// <param name="classes">Number of classes.</param>
    internal static CocoPicture Of(PictureSource source, LabelMap16 labels, int classes) =>
        Of(source.Name + Path.GetExtension(source.Path), labels, classes);

    /// <summary>The same of a label map; 65535 = no class.</summary>
    internal static CocoPicture Of(string file, LabelMap16 labels, int classes)
    {
        List<long>?[] runs = RunLengths.Of(labels.Labels, labels.Width, labels.Height, classes);
        var masks = new List<CocoMask>();
        for (int c = 0; c < classes; c++)
        {
            if (runs[c] is { } own)
            {
                var (area, bbox) = RunLengths.Enclose(own, labels.Height);
                masks.Add(new CocoMask(c, RunLengths.Encode(own), area, bbox));
            }
        }

        return new CocoPicture(file, labels.Width, labels.Height, [.. masks]);
    }
}
