using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// Pictures with a train id per pixel: 0..C-1 in the order of <see cref="Classes"/>, or "no label" (<see cref="LabelMap"/>; of more than 255 classes
/// label maps have 16 bits). All classes' labels are there; hiding the unseen ones from training is <see cref="LabelMapping"/>'s part. Reading is
/// safe from several threads at once.
/// </summary>
public abstract class SegmentationDataset
{
    /// <summary>What the data set is called in messages and reports, for example "voc2012/val".</summary>
    public abstract string Name { get; }

    /// <summary>The classes in train-id order.</summary>
    public abstract ClassList Classes { get; }

    /// <summary>Seen and unseen train ids.</summary>
    public abstract ZeroShotSplit Split { get; }

    /// <summary>Number of pictures.</summary>
    public abstract int Count { get; }

    /// <summary>A name for picture i, unique in the data set.</summary>
    public abstract string GetId(int index);

    /// <summary>Reads picture i.</summary>
    /// <exception cref="InputException">The file is missing or damaged.</exception>
    public abstract RgbImage ReadImage(int index);

    /// <summary>Reads the train ids of picture i.</summary>
    /// <exception cref="InputException">The file is missing or damaged, or holds a value that is no class.</exception>
    public abstract LabelMap ReadLabels(int index);

    /// <summary>Reads both, and checks that they have the same size.</summary>
    /// <exception cref="InputException">As for the two parts, or their sizes differ.</exception>
    public virtual (RgbImage Image, LabelMap Labels) Read(int index)
    {
        var image = ReadImage(index);
        var labels = ReadLabels(index);
        if (image is not null && labels is not null && (image.Width != labels.Width || image.Height != labels.Height))
        {
            throw new InputException(
                $"{Name}: the label map of '{GetId(index)}' is {labels.Width}x{labels.Height}, expected the picture's {image.Width}x{image.Height}");
        }

        return (image!, labels!);
    }

    /// <summary>The values in the mask of picture i and what they mean; values that are no class are no error here.</summary>
    /// <exception cref="InputException">The file is missing or damaged.</exception>
    internal virtual StoredMask ReadStored(int index)
    {
        return StoredMask.Of(ReadLabels(index), Classes.Count, $"{Name}: '{GetId(index)}'");
    }

    /// <summary>What a file beside the configuration says of the masks, for telling two data sets apart; null = no file does.</summary>
    internal virtual string? LabelMeaning => null;

    /// <summary>The mask that a list gives picture i in place of its own, below the data set's folder; null = its own.</summary>
    internal virtual string? PairedMask(int index) => null;

    /// <summary>Files in the data set's folders that are of no picture, though they look so; found anew at each call.</summary>
    internal virtual IEnumerable<string> LeftOut() => [];

    /// <summary>The file of picture i; null = it has none.</summary>
    internal virtual string? PictureFile(int index) => null;

    /// <summary>The mask's file of picture i; null = it has none.</summary>
    internal virtual string? MaskFile(int index) => null;

    /// <summary>Checks that every file exists, so that a long training does not end on a missing one.</summary>
    /// <exception cref="InputException">A picture or a label map is missing.</exception>
    public virtual void CheckFiles()
    {
        // Pictures that are drawn on demand have no files.
    }
}
