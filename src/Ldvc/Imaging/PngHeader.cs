using System.Buffers.Binary;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>
/// IHDR, checked for what a label map may be: grey or palette, any legal bit depth, interlaced or not; or greys of 8 bits that are stored as colours
/// or with alpha.
/// </summary>
internal readonly record struct PngHeader(int Width, int Height, int BitDepth, int ColourType, bool Interlaced)
{
    /// <summary>Whether the numbers are indices of colours.</summary>
    public bool HasPalette => ColourType == 3;

    /// <summary>Numbers of each pixel: 1, or red, green and blue, or either with alpha.</summary>
    public int Samples => ColourType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    /// <summary>Bytes of one filtered row of <paramref name="width"/> pixels, without its filter byte.</summary>
    public int RowBytes(int width) => checked((int)((((long)width * BitDepth * Samples) + 7) / 8));

    /// <summary>The exception for a file of this kind.</summary>
    /// <param name="name">The file.</param>
    /// <param name="found">" with ...", or nothing.</param>
    public InputException NotLabels(string name, string found = "")
    {
        string kind = ColourType switch
        {
            2 => "an RGB",
            4 => "a grey with alpha",
            6 => "an RGB with alpha",
            _ => $"an unknown colour type {ColourType}",
        };
        return new InputException(
            $"{name}: is {kind} PNG{found}, a label map must be a grey or palette PNG whose values are class indices, or have the "
                + "same red, green and blue of 8 bits, nowhere transparent (data.colors of data.kind: folder is for masks with colours)");
    }

    /// <summary>Parses the 13 bytes of IHDR of a file of <paramref name="fileBytes"/> bytes.</summary>
    public static PngHeader Parse(ReadOnlySpan<byte> data, long fileBytes, string name)
    {
        if (data.Length != 13)
        {
            throw new InputException($"{name}: the PNG header has {data.Length} bytes, expected 13");
        }

        uint width = BinaryPrimitives.ReadUInt32BigEndian(data);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        int depth = data[8], colour = data[9];
        PixelLimit.Check(width, height, fileBytes, ImageReader.MaxPixels, name);

        var header = new PngHeader((int)width, (int)height, depth, colour, data[12] == 1);
        if (colour is not (0 or 3) && !(colour is 2 or 4 or 6 && depth == 8))
        {
            throw header.NotLabels(name, depth == 16 ? " of 16 bits" : "");
        }

        if (depth is not (1 or 2 or 4 or 8 or 16) || (colour == 3 && depth == 16))
        {
            throw new InputException($"{name}: {depth} bits per pixel, expected 1, 2, 4, 8 or (grey only) 16");
        }

        if (data[10] != 0 || data[11] != 0 || data[12] > 1)
        {
            throw new InputException($"{name}: unknown PNG compression {data[10]}, filter {data[11]} or interlace method {data[12]}");
        }

        return header;
    }
}
