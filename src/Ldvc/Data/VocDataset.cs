using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// PASCAL VOC 2012 in its own layout: JPEGImages, SegmentationClass, ImageSets/Segmentation. Twenty classes; background (0) and borders (255) are
/// ignored. "trainaug" adds the SBD pictures, whose masks lie in SegmentationClassAug (PNG, as mmsegmentation's converter writes them, or SBD's own
/// MATLAB files), or in SBD as it is unpacked (<see cref="SbdFolder"/>).
/// </summary>
public sealed class VocDataset : FileDataset
{
    private const string WithSbd = "trainaug";

    private readonly string _root;
    private readonly SbdFolder? _sbd;

    private VocDataset(string root, string part, ClassList classes, ZeroShotSplit split)
        : base($"voc2012/{part}", classes, split, Ids(root, part), ListOf(root, part), LabelTable.ReduceZero(classes.Count)) =>
        (_root, _sbd) = (root, SbdFolder.Near(root));

    /// <summary>
    /// Opens part "train", "val", "trainaug" or any other list's name. <paramref name="root"/> is VOC2012, VOCdevkit, or the folder around it.
    /// </summary>
    /// <exception cref="InputException">A folder or list is missing.</exception>
    public static VocDataset Open(string root, string part)
    {
        var (classes, split) = KnownDatasets.Voc2012();
        string[] roots = [root, Path.Combine(root, "VOC2012"), Path.Combine(root, "VOCdevkit", "VOC2012")];
        string found = FirstFolder([.. roots.Select(r => Path.Combine(r, "ImageSets", "Segmentation"))]);
        return new VocDataset(Path.GetDirectoryName(Path.GetDirectoryName(found))!, part, classes, split);
    }

    /// <inheritdoc/>
    public override string ImagePath(string id) => Path.Combine(_root, "JPEGImages", id + ".jpg");

    /// <inheritdoc/>
    public override string LabelPath(string id)
    {
        // VOC's own, finer mask wins where both exist. Where there is none, its place is the one to name.
        string own = Path.Combine(_root, "SegmentationClass", id + ".png");
        string augmented = Path.Combine(_root, "SegmentationClassAug", id);
        string?[] masks = [own, augmented + ".png", augmented + LabelFile.MatlabExtension, _sbd?.MaskOf(id)];
        return masks.FirstOrDefault(File.Exists) ?? own;
    }

    /// <inheritdoc/>
    private protected override string OtherMaskPlaces => $"; it may also lie in SegmentationClassAug or in SBD's cls ({SbdFolder.Places})";

    private static string ListOf(string root, string part) => Path.Combine(root, "ImageSets", "Segmentation", part + ".txt");

    private static List<string> Ids(string root, string part)
    {
        string lists = Path.Combine(root, "ImageSets", "Segmentation");
        string list = ListOf(root, part);
        if (part != WithSbd || File.Exists(list))
        {
            return ReadIds(list);
        }

        List<string> train = ReadIds(Path.Combine(lists, "train.txt"));
        string additional = Path.Combine(lists, "aug.txt");
        if (File.Exists(additional))
        {
            return [.. train.Union(ReadIds(additional), StringComparer.Ordinal)];
        }

        // SBD was split in another way: its lists hold pictures that VOC validates on.
        return SbdFolder.Near(root) is { } sbd
            ? [.. train.Union(sbd.Lists.SelectMany(ReadIds).Except(ReadIds(ListOf(root, "val")), StringComparer.Ordinal), StringComparer.Ordinal)]
            : throw new InputException($"{list}: file not found, no aug.txt beside it and no SBD ({SbdFolder.Places}); expected one of them to list "
                + "the SBD pictures (or data.train_part=train to do without)");
    }
}
