using Ldvc.Tensors;
using SkiaSharp;

namespace Ldvc.Imaging;

/// <summary>Columns and rows of a picture's file, from its header: no pixel is decoded, whatever the file claims.</summary>
internal static class PictureSize
{
    /// <summary>Reads the header of a picture held in memory; <paramref name="name"/> stands for it in messages.</summary>
    /// <returns>Width and height as stored, before any EXIF rotation.</returns>
    /// <exception cref="InputException">Not a picture that <see cref="ImageReader"/> reads.</exception>
    internal static unsafe (int Width, int Height) Of(ReadOnlySpan<byte> encoded, string name)
    {
        if (encoded.IsEmpty)
        {
            throw new InputException($"{name}: is empty, expected a picture");
        }

        fixed (byte* bytes = encoded)
        {
            // The bytes outlive the codec, so that they need no copy.
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = SKCodec.Create(data)
                ?? throw new InputException(
                $"{name}: not a picture that can be read (expected an intact JPEG, PNG, WebP, BMP or GIF{FileContent.Found(encoded)})");
            return (codec.Info.Width, codec.Info.Height);
        }
    }
}
