using System.Runtime.InteropServices;
using Ldvc.Tensors;
using SkiaSharp;

namespace Ldvc.Imaging;

/// <summary>Writes pictures as 8-bit RGB PNG, or encodes them as JPEG.</summary>
internal static class ImageWriter
{
    /// <summary>Writes <paramref name="image"/> to <paramref name="path"/>; the file appears whole or not at all.</summary>
    /// <exception cref="InputException">The folder is missing or cannot be written to.</exception>
    public static void WritePng(RgbImage image, string path) => AtomicFile.WriteAllBytes(path, EncodePng(image));

    /// <summary>The bytes of a JPEG file of <paramref name="image"/>; quality 1 to 100.</summary>
    public static byte[] EncodeJpeg(RgbImage image, int quality)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> target = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            image.Pixels.AsSpan(from, 3).CopyTo(target[to..]);
            target[to + 3] = 255;
        }

        // Colour at full resolution: in drawn pictures it is colour that edges are made of.
        using SKPixmap pixmap = bitmap.PeekPixels();
        using SKData? data = pixmap.Encode(new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample444, SKJpegEncoderAlphaOption.Ignore));
        return data?.ToArray() ?? throw new InvalidOperationException($"JPEG encoding failed for {image.Width}x{image.Height}");
    }

    /// <summary>The bytes of a PNG file of <paramref name="image"/>.</summary>
    public static unsafe byte[] EncodePng(RgbImage image)
    {
        // Skia has no packed 24-bit format; an opaque 32-bit one is stored by its encoder as RGB.
        var info = new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        byte* rgba = (byte*)NativeMemory.Alloc((nuint)info.BytesSize64);
        try
        {
            long count = (long)image.Width * image.Height;
            fixed (byte* pixels = image.Pixels)
            {
                byte* source = pixels;
                byte* destination = rgba;
                for (long i = 0; i < count; i++, source += 3, destination += 4)
                {
                    destination[0] = source[0];
                    destination[1] = source[1];
                    destination[2] = source[2];
                    destination[3] = 255;
                }
            }

            using var pixmap = new SKPixmap(info, (nint)rgba);
            using var data = pixmap.Encode(SKPngEncoderOptions.Default)
                ?? throw new InvalidOperationException($"PNG encoding failed for {image.Width}x{image.Height}");
            return data.ToArray();
        }
        finally
        {
            NativeMemory.Free(rgba);
        }
    }
}
