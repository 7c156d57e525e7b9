using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>
/// Reads masks whose pixels are colours. They must be of a format that keeps colours: JPEG changes them, and a changed colour is another class or
/// none.
/// </summary>
internal static class MaskPicture
{
    /// <summary>The colours of a PNG, BMP or GIF mask; a palette's colours count, transparency does not.</summary>
    /// <exception cref="InputException">Missing, damaged or of another format.</exception>
    public static RgbImage Read(string path)
    {
        byte[] file = InputFile.ReadAllBytes(path);
        return file.AsSpan().StartsWith(PngChunks.Signature) || FileContent.IsExactPicture(file)
            ? ImageReader.Decode(file, path, ImageReader.MaxPixels, needsColours: true)
            : throw new InputException($"{path}: not a PNG file (masks with colours must be PNG, BMP or GIF, which keep them exactly"
                + $"{FileContent.Found(file)}){FileContent.MaskRemedy(file)}");
    }
}
