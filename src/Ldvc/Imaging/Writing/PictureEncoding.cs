using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.PixelFormats;
using CodecConfiguration = SixLabors.ImageSharp.Configuration;

namespace Ldvc.Imaging.Writing;

/// <summary>
/// What all writers share: pixels go to an encoder without a copy, under a configuration that knows no file format and so has no decoder.
/// </summary>
internal static class PictureEncoding
{
    private static readonly CodecConfiguration NoFormats = new();

    /// <summary>
    /// A picture over <paramref name="pixels"/>, [height, width] in the layout of <typeparamref name="TPixel"/>; the caller disposes it.
    /// </summary>
    public static Image<TPixel> Wrap<TPixel>(Memory<byte> pixels, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel> => Image.WrapMemory<TPixel>(NoFormats, pixels, width, height);

    /// <summary>As <see cref="Wrap{TPixel}(Memory{byte}, int, int)"/>, over whole pixels.</summary>
    public static Image<TPixel> Wrap<TPixel>(Memory<TPixel> pixels, int width, int height)
        where TPixel : unmanaged, IPixel<TPixel> => Image.WrapMemory(NoFormats, pixels, width, height);

    /// <summary>Encodes <paramref name="image"/> into <paramref name="stream"/>, which may be written to only; its exceptions pass through.</summary>
    public static void Write<TPixel>(Image<TPixel> image, IImageEncoder encoder, Stream stream)
        where TPixel : unmanaged, IPixel<TPixel> => encoder.Encode(image, stream);

    /// <summary>The bytes that <paramref name="write"/> puts into a stream.</summary>
    public static byte[] ToBytes(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }
}
