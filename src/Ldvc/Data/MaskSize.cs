using Ldvc.Imaging;

namespace Ldvc.Data;

/// <summary>What a mask's size tells when it is not its picture's.</summary>
internal static class MaskSize
{
    /// <summary>
    /// The end of a sentence about a mask that has the picture's sides exchanged: tools that do not know EXIF draw on the picture as it is stored.
    /// </summary>
    internal static string Hint(RgbImage picture, int width, int height) => picture.Width == height && picture.Height == width && width != height
        ? " (the sides are exchanged: is the mask of the picture before its EXIF orientation turns it? then turn the mask, too)"
        : "";
}
