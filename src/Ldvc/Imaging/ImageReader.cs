using System.Runtime.InteropServices;
using Ldvc.Tensors;
using SkiaSharp;

namespace Ldvc.Imaging;

/// <summary>
/// Reads pictures as 8-bit RGB: JPEG (grey, YCbCr, CMYK; EXIF rotation applied), PNG (palette, 16-bit, alpha; eXIf rotation applied), WebP, BMP, the first frame of a GIF.
/// Transparency is dropped, not blended: the stored colours are kept, as Pillow's convert("RGB") does (a GIF's transparent pixels read as black).
/// Sixteen-bit samples keep their high byte. Embedded colour profiles are not applied, as CLIP's own preprocessing does not.
/// </summary>
public static class ImageReader
{
    /// <summary>Pictures with more pixels than this are refused before any pixel buffer is allocated.</summary>
    public const long MaxPixels = 200_000_000;

    /// <summary>Reads the picture in <paramref name="path"/>.</summary>
    /// <exception cref="InputException">The file is missing, not a picture, truncated, or has more than <see cref="MaxPixels"/> pixels.</exception>
    public static RgbImage Read(string path) => Decode(InputFile.ReadAllBytes(path), path);

    /// <summary>Decodes a picture held in memory; <paramref name="name"/> stands for it in messages.</summary>
    /// <exception cref="InputException">Not a picture, truncated, or more than <see cref="MaxPixels"/> pixels.</exception>
    public static unsafe RgbImage Decode(ReadOnlySpan<byte> encoded, string name)
    {
        if (encoded.IsEmpty)
        {
            throw new InputException($"{name}: is empty, expected a picture");
        }

        using var data = SKData.CreateCopy(encoded);
        using var codec = SKCodec.Create(data)
            ?? throw new InputException($"{name}: not a picture that can be read (expected an intact JPEG, PNG, WebP, BMP or GIF)");
        int width = codec.Info.Width;
        int height = codec.Info.Height;
        if (width < 1 || height < 1 || (long)width * height > MaxPixels)
        {
            throw new InputException($"{name}: {width}x{height} pixels, expected at least 1x1 and at most {MaxPixels} pixels in all");
        }

        // Unpremultiplied, and no destination colour space: the stored numbers, untouched.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        nuint bytes = (nuint)info.BytesSize64;
        byte* rgba = (byte*)NativeMemory.AllocZeroed(bytes);
        try
        {
            var result = codec.GetPixels(info, (nint)rgba);
            if (result != SKCodecResult.Success)
            {
                string what = result is SKCodecResult.IncompleteInput or SKCodecResult.ErrorInInput ? "is truncated or damaged" : $"cannot be decoded ({result})";
                throw new InputException($"{name}: {what}, expected an intact {codec.EncodedFormat} picture of {width}x{height}");
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
}
