using Ldvc.Imaging;
using SkiaSharp;

namespace Ldvc.Reports;

/// <summary>Pictures as data: URIs, so that a report needs no second file.</summary>
internal static class PictureData
{
    private const int JpegQuality = 92;

    /// <summary>Up to this many pixels a picture is always PNG: there is little to save.</summary>
    private const long AlwaysExact = 160 * 160;

    /// <summary>The picture as PNG, or as JPEG where that is smaller: flat label pictures stay exact and photographs stay small.</summary>
    public static string ToDataUri(RgbImage image)
    {
        byte[] png = ImageWriter.EncodePng(image);
        if ((long)image.Width * image.Height > AlwaysExact)
        {
            byte[] jpeg = EncodeJpeg(image);
            if (jpeg.Length < png.Length)
            {
                return "data:image/jpeg;base64," + Convert.ToBase64String(jpeg);
            }
        }

        return "data:image/png;base64," + Convert.ToBase64String(png);
    }

    private static byte[] EncodeJpeg(RgbImage image)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> target = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            image.Pixels.AsSpan(from, 3).CopyTo(target[to..]);
            target[to + 3] = 255;
        }

        using SKData? data = bitmap.Encode(SKEncodedImageFormat.Jpeg, JpegQuality);
        return data?.ToArray() ?? throw new InvalidOperationException($"cannot encode a {image.Width}x{image.Height} picture as JPEG");
    }
}
