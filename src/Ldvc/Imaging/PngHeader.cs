using System.Buffers.Binary;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>IHDR, checked for what a label map may be: grey or palette, any legal bit depth, interlaced or not.</summary>
internal readonly record struct PngHeader(int Width, int Height, int BitDepth, int ColourType, bool Interlaced)
{
    /// <summary>Bytes of one filtered row of <paramref name="width"/> pixels, without its filter byte.</summary>
    public int RowBytes(int width) => (int)((((long)width * BitDepth) + 7) / 8);

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

        if (colour is not (0 or 3))
        {
            string found = colour switch { 2 => "RGB", 4 => "grey with alpha", 6 => "RGB with alpha", _ => $"unknown colour type {colour}" };
            throw new InputException($"{name}: is a {found} PNG, a label map must be a grey or palette PNG whose values are class indices "
                + "(data.colors is for masks with colours)");
        }

        if (depth is not (1 or 2 or 4 or 8 or 16) || (colour == 3 && depth == 16))
        {
            throw new InputException($"{name}: {depth} bits per pixel, expected 1, 2, 4, 8 or (grey only) 16");
        }

        if (data[10] != 0 || data[11] != 0 || data[12] > 1)
        {
            throw new InputException($"{name}: unknown PNG compression {data[10]}, filter {data[11]} or interlace method {data[12]}");
        }

        return new PngHeader((int)width, (int)height, depth, colour, data[12] == 1);
    }
}
