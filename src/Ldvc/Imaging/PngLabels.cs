using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>
/// Reads label maps from PNG. Picture libraries turn palette indices into colours and stretch shallow greys; here the stored number of every pixel is
/// the class index, exactly. Grey and palette PNGs of every bit depth, interlaced or not, turned as an eXIf chunk says;
/// every chunk's CRC is checked.
/// </summary>
internal static class PngLabels
{
    /// <summary>
    /// Decodes the stored indices. Numbers are not translated: in a file of 8 bits, no label is <see cref="LabelMap.Ignore"/>, in one of 16 bits it
    /// is <see cref="LabelMap16.Unlabelled"/>.
    /// </summary>
    /// <param name="file">The PNG.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="InputException">Damaged or truncated, or another kind of PNG.</exception>
    public static LabelMap16 Decode(ReadOnlySpan<byte> file, string name)
    {
        var (header, compressed, palette) = Open(file, name);
        using (compressed)
        {
            var labels = new LabelMap16(header.Width, header.Height, new ushort[checked(header.Width * header.Height)]);
            PngLabelDecoder.Decode(header, compressed, labels.Labels, name);
            var (width, height, upright) = Orientation.ToUpright(labels.Labels, header.Width, header.Height, PngOrientation.Of(file));
            return new LabelMap16(width, height, upright)
            {
                IsOfBytes = header.BitDepth <= 8,
                Palette = palette,
                GreyBits = header.HasPalette ? 0 : header.BitDepth,
            };
        }
    }

    // The header, the pixel data of all IDAT chunks as one stream, and the colours of the numbers.
    private static (PngHeader Header, MemoryStream Compressed, int[]? Palette) Open(ReadOnlySpan<byte> file, string name)
    {
        var chunks = PngChunks.Split(file, name);
        if (chunks[0].Type != "IHDR")
        {
            throw new InputException($"{name}: the first PNG chunk is {chunks[0].Type}, expected IHDR");
        }

        var header = PngHeader.Parse(file.Slice(chunks[0].Offset, chunks[0].Length), file.Length, name);
        var compressed = new MemoryStream();
        int[]? palette = null;
        foreach (var (type, offset, length) in chunks)
        {
            if (type == "IDAT")
            {
                compressed.Write(file.Slice(offset, length));
            }
            else if (type == "PLTE" && header.HasPalette)
            {
                palette = Colours(file.Slice(offset, length));
            }
            else if (char.IsAsciiLetterUpper(type[0]) && type is not ("IHDR" or "PLTE" or "IEND"))
            {
                throw new InputException($"{name}: unknown critical PNG chunk {type}");
            }
        }

        compressed.Position = 0;
        return (header, compressed, palette);
    }

    private static int[] Colours(ReadOnlySpan<byte> entries)
    {
        var colours = new int[entries.Length / 3];
        for (int i = 0; i < colours.Length; i++)
        {
            colours[i] = (entries[3 * i] << 16) | (entries[(3 * i) + 1] << 8) | entries[(3 * i) + 2];
        }

        return colours;
    }
}
