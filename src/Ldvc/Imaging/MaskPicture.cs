using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Reads masks whose pixels are colours. They must be PNG: JPEG changes colours, and a changed colour is another class or none.</summary>
internal static class MaskPicture
{
    /// <summary>The colours of a PNG mask; a palette's colours count, transparency does not.</summary>
    /// <exception cref="InputException">Missing, damaged or no PNG.</exception>
    public static RgbImage Read(string path)
    {
        byte[] file = InputFile.ReadAllBytes(path);
        return file.AsSpan().StartsWith(PngChunks.Signature)
            ? ImageReader.Decode(file, path)
            : throw new InputException($"{path}: not a PNG file (masks with colours must be PNG, which keeps them exactly"
                + $"{FileContent.Found(file)})");
    }
}
