using Ldvc.Tensors;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace Ldvc.Imaging.Writing;

/// <summary>Writes pictures as 8-bit RGB PNG or as JPEG.</summary>
internal static class ImageWriter
{
    /// <summary>Writes <paramref name="image"/> to <paramref name="path"/>; the file appears whole or not at all.</summary>
    /// <exception cref="InputException">The folder is missing or cannot be written to, or the disk is full.</exception>
    public static void WritePng(RgbImage image, string path) => Tensors.Serialization.AtomicFile.Write(path, stream => WritePng(image, stream));

    /// <summary>Writes a PNG file into <paramref name="stream"/>.</summary>
    public static void WritePng(RgbImage image, Stream stream)
    {
        using Image<Rgb24> pixels = PictureEncoding.Wrap<Rgb24>(image.Pixels, image.Width, image.Height);

        // The level: higher ones save 4 % of an overlay at three times the time.
        PictureEncoding.Write(
            pixels,
            new PngEncoder
            {
                ColorType = PngColorType.Rgb,
                BitDepth = PngBitDepth.Bit8,
                FilterMethod = PngFilterMethod.Adaptive,
                CompressionLevel = PngCompressionLevel.Level2,
            },
            stream);
    }

    /// <summary>The bytes of a PNG file of <paramref name="image"/>.</summary>
    public static byte[] EncodePng(RgbImage image) => PictureEncoding.ToBytes(stream => WritePng(image, stream));

    /// <summary>The bytes of a JPEG file of <paramref name="image"/>; quality 1 to 100.</summary>
    public static byte[] EncodeJpeg(RgbImage image, int quality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        using Image<Rgb24> pixels = PictureEncoding.Wrap<Rgb24>(image.Pixels, image.Width, image.Height);

        // Colour at full resolution: in drawn pictures it is colour that edges are made of.
        var encoder = new JpegEncoder { Quality = quality, ColorType = JpegColorType.YCbCrRatio444 };
        return PictureEncoding.ToBytes(stream => PictureEncoding.Write(pixels, encoder, stream));
    }
}
