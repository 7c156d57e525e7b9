using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// A user's own data: images/ID.jpg (or png, webp, bmp, gif; sub-folders are part of the ID), masks/ID.png with train ids (255 ignored), classes.txt
/// with one name per line; optional seen.txt and unseen.txt with class names (one alone leaves the rest to the other; neither: all seen), and
/// PART.txt with the pictures of a part, or pairs of picture and mask. Pictures may also lie as in PASCAL VOC: JPEGImages, SegmentationClass (0
/// ignored, the first class is 1), ImageSets/Segmentation/PART.txt. Section data of a configuration says other places, names and meanings of numbers
/// or colours.
/// </summary>
public sealed class FolderDataset : FileDataset
{
    private readonly Dictionary<string, FolderSample> _samples;
    private readonly MaskColours? _colours;
    private readonly FolderLayout _layout;

    private FolderDataset(FolderLayout layout, (IReadOnlyList<FolderSample> Samples, string Source) found, FolderClasses classes)
        : base(
            $"{layout.Root}/{layout.Part}",
            classes.Classes,
            classes.Split,
            [.. found.Samples.Select(sample => sample.Id)],
            found.Source,
            classes.Labels)
    {
        _samples = found.Samples.ToDictionary(sample => sample.Id, StringComparer.Ordinal);
        (_colours, _layout) = (classes.Colours, layout);
    }

    /// <summary>Opens the part listed in PART.txt; part "all", or a folder with neither train.txt nor val.txt, means every picture.</summary>
    /// <exception cref="InputException">A folder or file is missing, a listed picture does not exist, or the class lists contradict each
    /// other.</exception>
    public static FolderDataset Open(string root, string part) => Open(root, part, new LdvcConfig());

    /// <inheritdoc/>
    public override string ImagePath(string id) => _samples[id].Image;

    /// <inheritdoc/>
    public override string LabelPath(string id) => _samples[id].Mask;

    /// <summary>The same under the options of section data.</summary>
    internal static FolderDataset Open(string root, string part, LdvcConfig config)
    {
        if (!Directory.Exists(root))
        {
            throw new InputException($"{root}: folder not found, expected a data set with images/, masks/ and classes.txt");
        }

        var layout = new FolderLayout(root, part, config.Data);
        var classes = new FolderClasses(layout, config);
        return new FolderDataset(layout, FolderSamples.Find(layout), classes);
    }

    /// <inheritdoc/>
    internal override string? LabelMeaning => _colours?.ToString();

    /// <inheritdoc/>
    internal override string? PairedMask(int index)
    {
        FolderSample sample = _samples[GetId(index)];
        return Path.GetFullPath(sample.Mask) == Path.GetFullPath(_layout.MaskOf(sample.Id))
            ? null
            : Path.GetRelativePath(_layout.Root, sample.Mask).Replace('\\', '/');
    }

    /// <inheritdoc/>
    internal override IEnumerable<string> LeftOut()
    {
        // A list says which pictures are meant.
        IEnumerable<string> masks = _layout.IsListed || !Directory.Exists(_layout.Masks) ? []
            : PictureFiles.Under(_layout.Masks, _layout.MaskSuffix, except: null)
                .Where(mask => !_samples.ContainsKey(mask.Key)).Select(mask => mask.Value);
        return PictureFiles.OfOtherFormats(_layout.Images).Concat(masks);
    }

    /// <inheritdoc/>
    internal override StoredMask ReadStored(int index)
    {
        if (_colours is null)
        {
            return base.ReadStored(index);
        }

        return StoredMask.Of(ReadLabels(index), Classes.Count, $"{Name}: '{GetId(index)}'") with { HoldsNumbers = false };
    }

    /// <inheritdoc/>
    private protected override LabelMap ReadMask(string path) => _colours?.Apply(MaskPicture.Read(path), path) ?? base.ReadMask(path);
}
