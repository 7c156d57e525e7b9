using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// What training and scoring expect of any data set. Those of this package keep to it; one of somebody's own that does not would be trained on, or
/// scored, without a word: a label beyond the classes counts nowhere in a score, and is "no label" to training.
/// </summary>
internal static class DatasetCheck
{
    /// <summary>What a data set gives for each picture besides it, in the words of a message.</summary>
    internal const string Labels = "label map";

    /// <summary>Checks what is known without reading a picture.</summary>
    /// <exception cref="InputException">It has no pictures, or its split is over other classes.</exception>
    internal static void Parts(SegmentationDataset dataset)
    {
        string name = dataset.Name;
        ClassList classes = dataset.Classes ?? throw Missing(name, nameof(SegmentationDataset.Classes));
        ZeroShotSplit split = dataset.Split ?? throw Missing(name, nameof(SegmentationDataset.Split));
        if (dataset.Count < 1)
        {
            throw new InputException($"{name}: expected at least one picture, found {(dataset.Count == 0 ? "none" : dataset.Count)}");
        }

        if (split.ClassCount != classes.Count)
        {
            throw new InputException($"{name}: the split is over {split.ClassCount} classes, expected {classes.Count} as in the list of classes");
        }
    }

    /// <summary>Reads picture i with its labels.</summary>
    /// <exception cref="InputException">As for <see cref="SegmentationDataset.Read"/>, or a part is missing, or a label is no class.</exception>
    internal static (RgbImage Image, LabelMap Labels) Read(SegmentationDataset dataset, int index)
    {
        var (image, labels) = dataset.Read(index);
        string Picture() => $"{dataset.Name}: picture '{dataset.GetId(index)}'";
        if (image is null || labels is null)
        {
            throw Missing(Picture(), image is null ? "picture" : Labels);
        }

        // An overridden Read may have left this out.
        if (image.Width != labels.Width || image.Height != labels.Height)
        {
            throw new InputException($"{Picture()}: the label map is {labels.Width}x{labels.Height}, expected {image.Width}x{image.Height} as the "
                + "picture");
        }

        int classes = dataset.Classes.Count, at = FirstUnknown(labels, classes);
        if (at >= 0)
        {
            int none = labels.IsWide ? LabelMap.WideIgnore : LabelMap.Ignore;
            throw new InputException($"{Picture()}: label {labels.ClassAt(at)} at column {at % labels.Width}, row {at / labels.Width}, expected 0 to "
                + $"{classes - 1} or {none} ({classes} classes)");
        }

        return (image, labels);
    }

    private static int FirstUnknown(LabelMap labels, int classes) => labels.Wide is { } wide
        ? classes >= LabelMap.WideIgnore ? -1 : wide.Labels.AsSpan().IndexOfAnyInRange((ushort)classes, (ushort)(LabelMap.WideIgnore - 1))
        : classes >= LabelMap.Ignore ? -1 : labels.Labels.AsSpan().IndexOfAnyInRange((byte)classes, (byte)(LabelMap.Ignore - 1));

    /// <summary>Something is null that must not be.</summary>
    internal static InputException Missing(string source, string what) => new($"{source}: expected a {what}, found null");
}
