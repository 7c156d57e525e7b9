using Ldvc.Imaging;
using Ldvc.Imaging.Writing;

namespace Ldvc.Lab.Reports;

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
            byte[] jpeg = ImageWriter.EncodeJpeg(image, JpegQuality);
            if (jpeg.Length < png.Length)
            {
                return "data:image/jpeg;base64," + Convert.ToBase64String(jpeg);
            }
        }

        return "data:image/png;base64," + Convert.ToBase64String(png);
    }
}
