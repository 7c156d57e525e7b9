using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// COCO-Stuff 164k: images/train2017 and annotations/train2017 (or stuffthingmaps/train2017). A label file named ID_labelTrainIds.png, as
/// mmsegmentation's converter writes it, holds train ids; one named ID.png holds COCO-Stuff's raw values.
/// </summary>
public sealed class CocoStuffDataset : FileDataset
{
    private const string ConvertedSuffix = "_labelTrainIds.png";

    private readonly SortedDictionary<string, string> _images;
    private readonly string _labels;
    private LabelTable _raw = LabelTable.CocoStuffRaw();

    private CocoStuffDataset(
        string part, string folder, SortedDictionary<string, string> images, string labels, ClassList classes, ZeroShotSplit split)
        : base($"coco-stuff164k/{part}", classes, split, [.. images.Keys], folder, LabelTable.Identity(classes.Count))
    {
        _images = images;
        _labels = labels;
    }

    /// <summary>Opens part "train2017" or "val2017" ("train" and "val" are short for them): every picture of the folder.</summary>
    /// <exception cref="InputException">A folder is missing.</exception>
    public static CocoStuffDataset Open(string root, string part)
    {
        part = part is "train" or "val" ? part + "2017" : part;
        string images = FirstFolder(Path.Combine(root, "images", part), Path.Combine(root, part));
        string[] places = [Path.Combine(root, "annotations", part), Path.Combine(root, "stuffthingmaps", part)];
        if (!places.Any(Directory.Exists) && File.Exists(Path.Combine(root, "annotations", $"instances_{part}.json")))
        {
            throw new InputException($"{places[0]}: folder not found, and COCO's JSON beside it is not read; expected {places[1]} with the masks of "
                + "stuffthingmaps_trainval2017.zip");
        }

        string labels = FirstFolder(places);
        var (classes, split) = KnownDatasets.CocoStuff164k();
        return new CocoStuffDataset(part, images, PictureFiles.In(images), labels, classes, split);
    }

    /// <inheritdoc/>
    public override string ImagePath(string id) => _images[id];

    /// <inheritdoc/>
    public override string LabelPath(string id)
    {
        string converted = Path.Combine(_labels, id + ConvertedSuffix);
        string raw = Path.Combine(_labels, id + ".png");
        return File.Exists(converted) || !File.Exists(raw) ? converted : raw;
    }

    /// <inheritdoc/>
    internal override void IgnoreValues(IReadOnlyCollection<int> values)
    {
        base.IgnoreValues(values);
        _raw = _raw.Ignoring(values);
    }

    /// <inheritdoc/>
    private protected override LabelTable TableFor(string labelPath)
        => labelPath.EndsWith(ConvertedSuffix, StringComparison.Ordinal) ? base.TableFor(labelPath) : _raw;
}
