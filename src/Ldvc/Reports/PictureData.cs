using Ldvc.Imaging;
using SkiaSharp;

namespace Ldvc.Reports;

/// <summary>Pictures as data: URIs, so that a report needs no second file.</summary>
internal static class PictureData
{
    private const int JpegQuality = 92;

    /// <summary>The picture as PNG, or as JPEG where that is smaller: flat label pictures stay exact and photographs stay small.</summary>
    public static string ToDataUri(RgbImage image)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> target = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            target[to] = image.Pixels[from];
            target[to + 1] = image.Pixels[from + 1];
            target[to + 2] = image.Pixels[from + 2];
            target[to + 3] = 255;
        }

        byte[] png = Encode(bitmap, SKEncodedImageFormat.Png, 100);
        byte[] jpeg = Encode(bitmap, SKEncodedImageFormat.Jpeg, JpegQuality);
        bool usePng = png.Length <= jpeg.Length || (long)image.Width * image.Height <= 160 * 160;
        return usePng ? "data:image/png;base64," + Convert.ToBase64String(png) : "data:image/jpeg;base64," + Convert.ToBase64String(jpeg);
    }

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format, int quality)
    {
        using SKData? data = bitmap.Encode(format, quality);
        return data?.ToArray() ?? throw new InvalidOperationException($"cannot encode a {bitmap.Width}x{bitmap.Height} picture as {format}");
    }
}
