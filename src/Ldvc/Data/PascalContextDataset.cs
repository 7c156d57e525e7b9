using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// PASCAL Context over VOC 2010, as mmsegmentation converts it: JPEGImages, SegmentationClassContext (0 background, 1..59 classes),
/// ImageSets/SegmentationContext. With 59 classes background is ignored, with 60 it is class 0.
/// </summary>
public sealed class PascalContextDataset : FileDataset
{
    private readonly string _root;

    private PascalContextDataset(string root, string part, ClassList classes, ZeroShotSplit split, LabelTable table)
        : base($"pascal-context{classes.Count}/{part}", classes, split, ReadIds(ListOf(root, part)), ListOf(root, part), table) => _root = root;

    /// <summary>
    /// Opens part "train" or "val". <paramref name="root"/> is VOC2010, VOCdevkit, or the folder around it; the other options are those of
    /// <see cref="KnownDatasets.PascalContext"/>.
    /// </summary>
    /// <exception cref="InputException">A folder or list is missing.</exception>
    public static PascalContextDataset Open(string root, string part, bool background = false, bool cascadeClipSplit = false)
    {
        var (classes, split) = KnownDatasets.PascalContext(background, cascadeClipSplit);
        string[] roots = [root, Path.Combine(root, "VOC2010"), Path.Combine(root, "VOCdevkit", "VOC2010")];
        string found = FirstFolder([.. roots.Select(r => Path.Combine(r, "ImageSets", "SegmentationContext"))]);
        var table = background ? LabelTable.Identity(classes.Count) : LabelTable.ReduceZero(classes.Count);
        return new PascalContextDataset(Path.GetDirectoryName(Path.GetDirectoryName(found))!, part, classes, split, table);
    }

    /// <inheritdoc/>
    public override string ImagePath(string id) => Path.Combine(_root, "JPEGImages", id + ".jpg");

    /// <inheritdoc/>
    public override string LabelPath(string id) => Path.Combine(_root, "SegmentationClassContext", id + ".png");

    private static string ListOf(string root, string part) => Path.Combine(root, "ImageSets", "SegmentationContext", part + ".txt");
}
