using System.Runtime.InteropServices;
using Ldvc.Tensors;
using SkiaSharp;

namespace Ldvc.Imaging;

/// <summary>
/// Reads pictures as 8-bit RGB: JPEG (grey, YCbCr, CMYK; EXIF rotation applied), PNG (palette, 16-bit, alpha; eXIf rotation applied), WebP, BMP, the
/// first frame of a GIF. Transparency is dropped, not blended: the stored colours are kept, as Pillow's convert("RGB") does (a GIF's transparent
/// pixels read as black). Sixteen-bit samples keep their high byte. Embedded colour profiles are not applied, as CLIP's own preprocessing does not.
/// </summary>
public static class ImageReader
{
    /// <summary>
    /// Pictures with more pixels than this are refused before any pixel buffer is allocated; small files may have 64 megapixels and 16 more for each
    /// byte.
    /// </summary>
    public const long MaxPixels = 200_000_000;

    /// <summary>Reads the picture in <paramref name="path"/>.</summary>
    /// <exception cref="InputException">The file is missing, not a picture, truncated, or has more than <see cref="MaxPixels"/> pixels.</exception>
    public static RgbImage Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Decode(InputFile.ReadAllBytes(path), path);
    }

    /// <summary>Decodes a picture held in memory; <paramref name="name"/> stands for it in messages.</summary>
    /// <exception cref="InputException">Not a picture, truncated, or more than <see cref="MaxPixels"/> pixels.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> encoded, string name) => Decode(encoded, name, MaxPixels);

    /// <summary>The same with a lower limit.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="maxPixels">Pictures with more pixels are refused before memory is taken.</param>
    /// <param name="needsColours">Whether a pixel of a GIF that is transparent, and so black whatever the palette says, is an error.</param>
    /// <exception cref="InputException">Not a picture, truncated, or too many pixels.</exception>
    internal static unsafe RgbImage Decode(ReadOnlySpan<byte> encoded, string name, long maxPixels, bool needsColours = false)
    {
        if (encoded.IsEmpty)
        {
            throw new InputException($"{name}: is empty, expected a picture");
        }

        using var data = SKData.CreateCopy(encoded);
        using var codec = SKCodec.Create(data)
            ?? throw new InputException(
                $"{name}: not a picture that can be read (expected an intact JPEG, PNG, WebP, BMP or GIF{FileContent.Found(encoded)})");
        int width = codec.Info.Width;
        int height = codec.Info.Height;
        PixelLimit.Check(width, height, encoded.Length, maxPixels, name);

        // Unpremultiplied, and no destination colour space: the stored numbers, untouched.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        nuint bytes = (nuint)info.BytesSize64;
        byte* rgba = (byte*)NativeMemory.AllocZeroed(bytes);
        try
        {
            var result = codec.GetPixels(info, (nint)rgba);
            if (result == SKCodecResult.Success && codec.EncodedFormat == SKEncodedImageFormat.Jpeg && !JpegEnd.IsThere(encoded))
            {
                result = SKCodecResult.IncompleteInput;
            }

            if (result != SKCodecResult.Success)
            {
                string what = result is SKCodecResult.IncompleteInput or SKCodecResult.ErrorInInput
                    ? "is truncated or damaged"
                    : $"cannot be decoded ({result})";
                throw new InputException($"{name}: {what}, expected an intact {NameOf(codec.EncodedFormat)} picture of {width}x{height}");
            }

            if (needsColours && codec.EncodedFormat == SKEncodedImageFormat.Gif && HasTransparency(rgba, (long)width * height))
            {
                throw new InputException($"{name}: a GIF with transparent pixels, whose colours are not read, expected one without or a PNG");
            }

            // The codec knows EXIF in JPEG and WebP; in PNG it does not look for it.
            int orientation = codec.EncodedOrigin == SKEncodedOrigin.TopLeft ? PngOrientation.Of(encoded) : (int)codec.EncodedOrigin;
            return Orientation.ToUprightRgb(rgba, width, height, orientation);
        }
        finally
        {
            NativeMemory.Free(rgba);
        }
    }

    private static unsafe bool HasTransparency(byte* rgba, long pixels)
    {
        for (long i = 0; i < pixels; i++)
        {
            if (rgba[(4 * i) + 3] < byte.MaxValue)
            {
                return true;
            }
        }

        return false;
    }

    // As people write them.
    private static string NameOf(SKEncodedImageFormat format) =>
        format == SKEncodedImageFormat.Webp ? "WebP" : format.ToString().ToUpperInvariant();
}
