using System.Runtime.InteropServices;
using Ldvc.Tensors;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace Ldvc.Imaging.Writing;

/// <summary>
/// Writes label maps as PNG whose stored number of every pixel is the class index: 8 bits with a palette or grey, 16 bits grey for more than 255
/// classes. No row has a filter: runs of equal labels compress well as they are, and a reader has less to do.
/// </summary>
/// <remarks>
/// Class names, where they are given, stand in the file under <see cref="PngNames.Keyword"/> as a JSON array: element i names index i. The chunk is
/// tEXt, or iTXt (UTF-8) where Latin-1 cannot hold the names.
/// </remarks>
internal static class LabelWriter
{
    /// <summary>Writes an 8-bit PNG; the file appears whole or not at all.</summary>
    /// <param name="labels">The indices.</param>
    /// <param name="path">The file.</param>
    /// <param name="palette">Colours that viewers show, or none for a grey PNG.</param>
    /// <param name="classNames">Names of the indices from 0, or none.</param>
    /// <exception cref="InputException">The folder is missing or cannot be written to, or the disk is full.</exception>
    public static void Write(LabelMap labels, string path, LabelPalette? palette = null, IReadOnlyList<string>? classNames = null) =>
        Tensors.Serialization.AtomicFile.Write(path, stream => Write(labels, stream, palette, classNames));

    /// <summary>The bytes that <see cref="Write(LabelMap, string, LabelPalette?, IReadOnlyList{string}?)"/> writes.</summary>
    public static byte[] Encode(LabelMap labels, LabelPalette? palette = null, IReadOnlyList<string>? classNames = null) =>
        PictureEncoding.ToBytes(stream => Write(labels, stream, palette, classNames));

    /// <summary>Writes an 8-bit PNG into <paramref name="stream"/>.</summary>
    public static void Write(LabelMap labels, Stream stream, LabelPalette? palette = null, IReadOnlyList<string>? classNames = null)
    {
        if (palette is null)
        {
            using Image<L8> grey = PictureEncoding.Wrap<L8>(labels.Labels, labels.Width, labels.Height);
            Write(grey, Encoder(PngColorType.Grayscale, PngBitDepth.Bit8), stream, classNames);
            return;
        }

        // The encoder asks a quantizer for the index of every pixel; here the pixels' red is the index.
        var pixels = new Rgb24[labels.Labels.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i].R = labels.Labels[i];
        }

        using Image<Rgb24> indexed = PictureEncoding.Wrap<Rgb24>(pixels, labels.Width, labels.Height);
        Write(indexed, Encoder(PngColorType.Palette, PngBitDepth.Bit8, new LabelQuantizer(palette)), stream, classNames);
    }

    /// <summary>Writes a 16-bit grey PNG; the file appears whole or not at all.</summary>
    /// <param name="labels">The indices; <see cref="LabelMap16.Unlabelled"/> is stored as it is.</param>
    /// <param name="path">The file.</param>
    /// <param name="classNames">Names of the indices from 0, or none.</param>
    /// <exception cref="InputException">The folder is missing or cannot be written to, or the disk is full.</exception>
    public static void Write(LabelMap16 labels, string path, IReadOnlyList<string>? classNames = null) =>
        Tensors.Serialization.AtomicFile.Write(path, stream => Write(labels, stream, classNames));

    /// <summary>The bytes that <see cref="Write(LabelMap16, string, IReadOnlyList{string}?)"/> writes.</summary>
    public static byte[] Encode(LabelMap16 labels, IReadOnlyList<string>? classNames = null) =>
        PictureEncoding.ToBytes(stream => Write(labels, stream, classNames));

    /// <summary>Writes a 16-bit grey PNG into <paramref name="stream"/>.</summary>
    public static void Write(LabelMap16 labels, Stream stream, IReadOnlyList<string>? classNames = null)
    {
        L16[] pixels = MemoryMarshal.Cast<ushort, L16>(labels.Labels).ToArray();
        using Image<L16> grey = PictureEncoding.Wrap<L16>(pixels, labels.Width, labels.Height);
        Write(grey, Encoder(PngColorType.Grayscale, PngBitDepth.Bit16), stream, classNames);
    }

    private static void Write<TPixel>(Image<TPixel> image, PngEncoder encoder, Stream stream, IReadOnlyList<string>? classNames)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        if (classNames is not null)
        {
            PngNames.Add(image.Metadata.GetPngMetadata(), classNames);
        }

        PictureEncoding.Write(image, encoder, stream);
    }

    private static PngEncoder Encoder(PngColorType colour, PngBitDepth depth, LabelQuantizer? quantizer = null) => new()
    {
        ColorType = colour,
        BitDepth = depth,
        FilterMethod = PngFilterMethod.None,
        CompressionLevel = PngCompressionLevel.Level6,
        TextCompressionThreshold = int.MaxValue,
        Quantizer = quantizer,
    };
}
