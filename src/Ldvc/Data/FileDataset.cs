using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>A data set of picture files and mask files. Subclasses say where the files lie and what the stored values mean.</summary>
public abstract class FileDataset : SegmentationDataset
{
    private readonly string[] _ids;
    private LabelTable _table;

    /// <summary>Takes the ids in order; <paramref name="source"/>, the file or folder they come from, stands in messages.</summary>
    /// <exception cref="InputException">No ids, or one twice.</exception>
    private protected FileDataset(string name, ClassList classes, ZeroShotSplit split, IReadOnlyList<string> ids, string source, LabelTable table)
    {
        if (split.ClassCount != classes.Count)
        {
            throw new ArgumentException($"the split is over {split.ClassCount} classes, the list has {classes.Count}", nameof(split));
        }

        if (ids.Count == 0)
        {
            throw new InputException($"{source}: expected at least one picture, found none");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string id in ids)
        {
            if (!seen.Add(id))
            {
                throw new InputException($"{source}: picture '{id}' is listed twice, expected each once");
            }
        }

        Name = name;
        Classes = classes;
        Split = split;
        _ids = [.. ids];
        _table = table;
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override ClassList Classes { get; }

    /// <inheritdoc/>
    public override ZeroShotSplit Split { get; }

    /// <inheritdoc/>
    public override int Count => _ids.Length;

    /// <inheritdoc/>
    public override string GetId(int index) => _ids[index];

    /// <summary>The picture file of an id.</summary>
    public abstract string ImagePath(string id);

    /// <summary>The label file of an id.</summary>
    public abstract string LabelPath(string id);

    /// <inheritdoc/>
    internal override string? PictureFile(int index) => ImagePath(_ids[index]);

    /// <inheritdoc/>
    internal override string? MaskFile(int index) => LabelPath(_ids[index]);

    /// <inheritdoc/>
    public override RgbImage ReadImage(int index) => ImageReader.Read(ImagePath(_ids[index]));

    /// <inheritdoc/>
    public override LabelMap ReadLabels(int index)
    {
        string path = LabelPath(_ids[index]);
        return ReadMask(path);
    }

    /// <inheritdoc/>
    public override (RgbImage Image, LabelMap Labels) Read(int index)
    {
        var image = ReadImage(index);
        var labels = ReadLabels(index);
        if (image.Width != labels.Width || image.Height != labels.Height)
        {
            throw new InputException(
                $"{LabelPath(_ids[index])}: {labels.Width}x{labels.Height} pixels, expected {image.Width}x{image.Height} as in "
                    + $"{ImagePath(_ids[index])}{MaskSize.Hint(image, labels.Width, labels.Height)}");
        }

        return (image, labels);
    }

    /// <inheritdoc/>
    internal override StoredMask ReadStored(int index)
    {
        string path = LabelPath(_ids[index]);
        LabelMap16 stored = ReadNumbers(path);
        LabelTable table = TableFor(path);
        StoredMask mask = StoredMask.Of(stored.Labels, stored.Width, stored.Height, table.Meaning, path);
        return mask with
        {
            GreyBits = stored.GreyBits,
            HasCustomaryBorders = stored.IsOfBytes && !table.HasNames,
            Colours = stored.Palette is { } palette ? [.. mask.Values.Select(v => v.Value < palette.Length ? palette[v.Value] : -1)] : null,
        };
    }

    /// <inheritdoc/>
    public override void CheckFiles()
    {
        foreach (string id in _ids)
        {
            foreach ((string path, string places) in new[] { (ImagePath(id), ""), (LabelPath(id), OtherMaskPlaces) })
            {
                if (!File.Exists(path))
                {
                    throw new InputException($"{path}: file not found, expected for picture '{id}' of {Name}{places}{PictureFiles.Near(path)}");
                }
            }
        }
    }

    /// <summary>More stored values that mean "no label" (option data.ignore).</summary>
    internal virtual void IgnoreValues(IReadOnlyCollection<int> values) => _table = _table.Ignoring(values);

    /// <summary>Where else a mask is looked for: part of a sentence about one that is missing.</summary>
    private protected virtual string OtherMaskPlaces => "";

    /// <summary>The meaning of the values in one label file.</summary>
    private protected virtual LabelTable TableFor(string labelPath) => _table;

    /// <summary>Reads a mask and gives its numbers, or colours, their meaning.</summary>
    private protected virtual LabelMap ReadMask(string path) => TableFor(path).Apply(ReadNumbers(path), path);

    private LabelMap16 ReadNumbers(string path) => File.Exists(path)
        ? LabelFile.Read(path)
        : throw new InputException($"{path}: file not found{OtherMaskPlaces}{PictureFiles.Near(path)}");

    /// <summary>The first of several folders that exists.</summary>
    /// <exception cref="InputException">None does; the message names them.</exception>
    protected static string FirstFolder(params IReadOnlyList<string> candidates)
        => candidates.FirstOrDefault(Directory.Exists)
            ?? throw new InputException($"{candidates[0]}: folder not found, expected it or {string.Join(" or ", candidates.Skip(1))}");

    /// <summary>
    /// Ids of a list file, one line each: "2007_000032", or paths such as "/JPEGImages/2007_000032.jpg ..." of which the first one's name counts.
    /// </summary>
    protected static List<string> ReadIds(string path)
        => [.. InputFile.ReadLines(path, "the pictures of this part").Select(line => IdOf(ListPaths.First(ListPaths.WithSlashes(line))))];

    /// <summary>The id in a file name or path; dots in it stay unless a picture's extension follows.</summary>
    protected static string IdOf(string path)
        => PictureFiles.HasPictureExtension(path) ? Path.GetFileNameWithoutExtension(path) : Path.GetFileName(path);
}
