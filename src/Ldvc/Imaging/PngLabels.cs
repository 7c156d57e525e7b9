using System.IO.Compression;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>
/// Label maps as PNG. Picture libraries turn palette indices into colours and stretch shallow greys; here the stored number of every pixel is the
/// class index, exactly. Grey and palette PNGs of every bit depth, interlaced or not; every chunk's CRC is checked.
/// </summary>
internal static class PngLabels
{
    /// <summary>Reads the stored indices.</summary>
    /// <exception cref="InputException">Missing, damaged or truncated file, another kind of PNG, or a 16-bit value above 255.</exception>
    public static LabelMap Read(string path) => Decode(InputFile.ReadAllBytes(path), path);

    /// <summary>Decodes a PNG held in memory; <paramref name="name"/> stands for it in messages.</summary>
    /// <exception cref="InputException">As for <see cref="Read"/>.</exception>
    public static LabelMap Decode(ReadOnlySpan<byte> file, string name)
    {
        var chunks = PngChunks.Split(file, name);
        if (chunks[0].Type != "IHDR")
        {
            throw new InputException($"{name}: the first PNG chunk is {chunks[0].Type}, expected IHDR");
        }

        var header = PngHeader.Parse(file.Slice(chunks[0].Offset, chunks[0].Length), name);
        using var compressed = new MemoryStream();
        foreach (var (type, offset, length) in chunks)
        {
            if (type == "IDAT")
            {
                compressed.Write(file.Slice(offset, length));
            }
            else if (char.IsAsciiLetterUpper(type[0]) && type is not ("IHDR" or "PLTE" or "IEND"))
            {
                throw new InputException($"{name}: unknown critical PNG chunk {type}");
            }
        }

        compressed.Position = 0;
        return PngLabelDecoder.Decode(header, compressed, name);
    }

    /// <summary>
    /// Writes an 8-bit PNG whose stored values are the labels: a palette PNG when <paramref name="palette"/> is given, else grey.
    /// The file appears whole or not at all.
    /// </summary>
    /// <exception cref="InputException">The folder is missing or cannot be written to.</exception>
    public static void Write(LabelMap labels, string path, LabelPalette? palette = null) => AtomicFile.WriteAllBytes(path, Encode(labels, palette));

    /// <summary>The bytes <see cref="Write"/> writes.</summary>
    public static byte[] Encode(LabelMap labels, LabelPalette? palette = null)
    {
        using var file = new MemoryStream();
        file.Write(PngChunks.Signature);
        Span<byte> header = stackalloc byte[13];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header, labels.Width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header[4..], labels.Height);
        header[8] = 8;
        header[9] = (byte)(palette is null ? 0 : 3);
        header[10..].Clear();
        PngChunks.Append(file, "IHDR"u8, header);
        if (palette is not null)
        {
            PngChunks.Append(file, "PLTE"u8, palette.Rgb);
        }

        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            // Filter 0 on every row: runs of equal labels compress well as they are.
            for (int y = 0; y < labels.Height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(labels.Labels, y * labels.Width, labels.Width);
            }
        }

        PngChunks.Append(file, "IDAT"u8, compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        PngChunks.Append(file, "IEND"u8, []);
        return file.ToArray();
    }
}
