using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Inference;

/// <summary>One class's part of a segmented picture.</summary>
/// <param name="Index">The number its pixels have in NAME.png.</param>
/// <param name="Name">The class name.</param>
/// <param name="Pixels">Its pixels.</param>
/// <param name="Share">Their share of all pixels.</param>
public sealed record ClassShare(int Index, string Name, long Pixels, double Share);

/// <summary>One segmented picture: labels, and the share of every class.</summary>
public sealed class SegmentResult
{
    private readonly RgbImage _picture;
    private readonly LabelMap16 _labels;
    private readonly LabelMap? _bytes;
    private readonly IReadOnlyList<string> _names;

    /// <summary>A result with at most 255 classes.</summary>
    internal SegmentResult(string image, RgbImage picture, LabelMap labels, IReadOnlyList<string> names)
        : this(image, picture, LabelMap16.From(labels), names) => _bytes = labels;

    /// <summary>A result with any number of classes.</summary>
    internal SegmentResult(string image, RgbImage picture, LabelMap16 labels, IReadOnlyList<string> names)
    {
        (Image, _picture, _labels, _names) = (image, picture, labels, names);
        var counts = new long[LabelMap16.Unlabelled + 1];
        foreach (ushort label in labels.Labels)
        {
            counts[label]++;
        }

        double all = labels.Labels.Length;
        Classes = [.. names.Select((name, i) => new ClassShare(i, name, counts[i], counts[i] / all))];
        Background = counts[LabelMap16.Unlabelled] / all;
    }

    /// <summary>Columns.</summary>
    public int Width => _labels.Width;

    /// <summary>Rows.</summary>
    public int Height => _labels.Height;

    /// <summary>The number that stands for no class in NAME.png: 255, or 65535 where there are more than 255 classes.</summary>
    internal int Unlabelled => _bytes is null ? LabelMap16.Unlabelled : LabelMap.Ignore;

    /// <summary>The class index of every pixel; 65535 = none, whatever the number of classes.</summary>
    internal LabelMap16 Labels => _labels;

    /// <summary>The picture's file.</summary>
    public string Image { get; }

    /// <summary>Every class that was asked for, in the order given.</summary>
    public ClassShare[] Classes { get; }

    /// <summary>Share of the pixels below the background threshold.</summary>
    public double Background { get; }

    /// <summary>NAME of a picture: its file name without the extension.</summary>
    internal static string NameOf(string image) => Path.GetFileNameWithoutExtension(image);

    /// <summary>"grass 61.2 %, cat 30.1 %, sky 8.7 %": the largest parts.</summary>
    internal string Describe(int max)
    {
        IEnumerable<(string Name, double Share)> parts = Classes.Where(c => c.Pixels > 0).Select(c => (c.Name, c.Share));
        if (Background > 0)
        {
            parts = parts.Append(("background", Background));
        }

        return string.Join(", ", parts.OrderByDescending(p => p.Share).Take(max).Select(p => $"{p.Name} {ShareText.Percent(p.Share)} %"));
    }

    /// <summary>
    /// Writes NAME.png, NAME.overlay.png and NAME.json; each appears whole or not at all. NAME is the last part of the picture's name, without its
    /// ending. Earlier results are replaced; an annotation of another tool or a mask that somebody drew is not.
    /// </summary>
    /// <exception cref="InputException">
    /// A file cannot be written, is there and is no result, or the picture's name has nothing that a file could be called.
    /// </exception>
    public void Write(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string name = NameOf(Image);
        if (string.IsNullOrWhiteSpace(name.Trim('.')) || name.Any(char.IsControl))
        {
            throw new InputException($"{folder}: expected the name of a picture to call its results by, found {ConfigText.Quote(Image)}");
        }

        var files = new SegmentFiles(folder, SegmentParts.Overlay);
        if (files.Foreign(name) is { } other)
        {
            throw new InputException($"{other}: is there already, and is no result of a segmenter; expected another folder or name");
        }

        files.Write(this, name, null);
    }

    /// <summary>For NAME.json and --json.</summary>
    internal object ToJson() => new
    {
        Image,
        Width,
        Height,
        Classes = Classes.Select(c => new
        {
            c.Index,
            c.Name,
            c.Pixels,
            c.Share,
            Color = Hex(LabelPalette.Voc[c.Index]),
            OverlayColor = Hex(LabelPalette.Bright[c.Index])
        }),
        Background,
    };

    /// <summary>"#rrggbb".</summary>
    private static string Hex((byte R, byte G, byte B) colour) => $"#{colour.R:x2}{colour.G:x2}{colour.B:x2}";

    /// <summary>
    /// NAME.png: the stored numbers are the class indices, and the names stand in a text chunk. 8 bits in VOC's colours with 255 for no class; where
    /// there are more than 255 classes 16 bits, grey, with 65535 for no class.
    /// </summary>
    public byte[] EncodeLabels() => _bytes is null ? LabelWriter.Encode(_labels, _names) : LabelWriter.Encode(_bytes, LabelPalette.Voc, _names);

    /// <summary>The overlay without its legend, of the picture's size.</summary>
    internal byte[] EncodePlain() => ImageWriter.EncodePng(Overlay.Blend(_picture, _labels));

    /// <summary>One class as a black and white picture: 255 where it is.</summary>
    internal byte[] EncodeMask(int label)
    {
        var mask = new LabelMap(Width, Height, [.. _labels.Labels.Select(l => l == label ? (byte)255 : (byte)0)]);
        return LabelWriter.Encode(mask, LabelPalette.BlackAndWhite);
    }

    /// <summary>NAME.overlay.png.</summary>
    public byte[] EncodeOverlay() => ImageWriter.EncodePng(Overlay.Render(_picture, _labels, _names));
}
