using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Ldvc.Imaging;

namespace Ldvc.Fuzz;

/// <summary>
/// Damages what lies inside of a container and closes the container again, with lengths and checksums that are right: random damage would be found by
/// these, and what reads the inside would never see it.
/// </summary>
internal static class FuzzContainers
{
    /// <summary>Makes an input.</summary>
    /// <param name="seed">The file that it is made of; it does not change.</param>
    /// <param name="other">Another file of the kind, from which parts are taken.</param>
    /// <param name="random">Decides.</param>
    internal delegate byte[] Mutation(byte[] seed, byte[] other, Random random);

    /// <summary>The JSON header of a safetensors file.</summary>
    internal static Mutation Safetensors(Mutation inside) => (seed, other, random) =>
    {
        (byte[] json, byte[] data) = Header(seed);
        byte[] damaged = inside(json, Header(other).Json, random);
        return [.. BitConverter.GetBytes((long)damaged.Length), .. damaged, .. data];
    };

    /// <summary>Chunks of a PNG file: their data, their order, their number; pixel data before it is compressed.</summary>
    internal static byte[] Png(byte[] seed, byte[] other, Random random)
    {
        var chunks = Chunks(seed);
        for (int edit = random.Next(3); edit >= 0; edit--)
        {
            int at = random.Next(chunks.Count);
            (byte[] type, byte[] data) = chunks[at];
            switch (random.Next(6))
            {
                case 0:
                    chunks.Insert(random.Next(chunks.Count), chunks[at]);
                    break;
                case 1:
                    chunks.RemoveAt(at);
                    break;
                case 2 when Encoding.ASCII.GetString(type) == "IDAT":
                    chunks[at] = (type, Zip(FuzzMutator.Bytes(Unzip(data), data, random)));
                    break;
                case 3 when Chunks(other) is { Count: > 0 } others:
                    chunks.Insert(at, others[random.Next(others.Count)]);
                    break;
                default:
                    chunks[at] = (type, FuzzMutator.Bytes(data, other, random));
                    break;
            }

            if (chunks.Count == 0)
            {
                break;
            }
        }

        return Png(chunks);
    }

    /// <summary>The text in a gzip file.</summary>
    internal static Mutation Gzip(Mutation inside) => (seed, other, random) => Gzip(inside(Gunzip(seed), Gunzip(other), random));

    /// <summary>The variables of a MATLAB file, before they are compressed.</summary>
    internal static Mutation Mat(Mutation inside) => (seed, other, random) =>
    {
        const int header = 128, tag = 8, compressed = 15;
        if (BinaryPrimitives.ReadInt32LittleEndian(seed.AsSpan(header)) != compressed)
        {
            return [.. seed.AsSpan(0, header), .. inside(seed[header..], other[Math.Min(header, other.Length)..], random)];
        }

        int size = BinaryPrimitives.ReadInt32LittleEndian(seed.AsSpan(header + 4));
        byte[] packed = Zip(inside(Unzip(seed[(header + tag)..(header + tag + size)]), other, random));
        return [.. seed.AsSpan(0, header + 4), .. BitConverter.GetBytes(packed.Length), .. packed, .. seed.AsSpan(header + tag + size)];
    };

    /// <summary>The pickle in a PyTorch archive.</summary>
    internal static Mutation TorchZip(Mutation inside) => (seed, other, random) =>
    {
        using var memory = new MemoryStream();
        using (var written = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var read = new ZipArchive(new MemoryStream(seed));
            foreach (ZipArchiveEntry entry in read.Entries)
            {
                using var content = new MemoryStream();
                using (Stream stream = entry.Open())
                {
                    stream.CopyTo(content);
                }

                byte[] bytes = content.ToArray();
                using Stream target = written.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                target.Write(entry.Name == "data.pkl" ? inside(bytes, bytes, random) : bytes);
            }
        }

        return memory.ToArray();
    };

    /// <summary>The header of a NumPy file of version 1.</summary>
    internal static Mutation Npy(Mutation inside) => (seed, other, random) =>
    {
        const int start = 10;
        int length = seed.Length < start ? -1 : BinaryPrimitives.ReadUInt16LittleEndian(seed.AsSpan(8));
        if (length < 0 || start + length > seed.Length)
        {
            return FuzzMutator.Bytes(seed, other, random);
        }

        byte[] header = inside(seed[start..(start + length)], other, random);
        return [.. seed[..8], .. BitConverter.GetBytes((ushort)header.Length), .. header, .. seed[(start + length)..]];
    };

    /// <summary>A gzip file of a text.</summary>
    internal static byte[] Gzip(byte[] text)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(text);
        }

        return memory.ToArray();
    }

    private static byte[] Gunzip(byte[] file)
    {
        using var gzip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
        using var text = new MemoryStream();
        gzip.CopyTo(text);
        return text.ToArray();
    }

    private static (byte[] Json, byte[] Data) Header(byte[] file)
    {
        int length = (int)Math.Min(file.Length - 8, BitConverter.ToInt64(file));
        return (file[8..(8 + length)], file[(8 + length)..]);
    }

    private static List<(byte[] Type, byte[] Data)> Chunks(byte[] file)
    {
        var chunks = new List<(byte[], byte[])>();
        for (int at = 8; at + 12 <= file.Length;)
        {
            int length = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at)), (uint)(file.Length - at - 12));
            chunks.Add((file[(at + 4)..(at + 8)], file[(at + 8)..(at + 8 + length)]));
            at += 12 + length;
        }

        return chunks;
    }

    /// <summary>A PNG file of chunks, with their lengths and checksums.</summary>
    internal static byte[] Png(List<(byte[] Type, byte[] Data)> chunks)
    {
        var file = new List<byte>(PngChunks.Signature.ToArray());
        byte[] number = new byte[4];
        foreach ((byte[] type, byte[] data) in chunks)
        {
            byte[] covered = [.. type, .. data];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            file.AddRange(number);
            file.AddRange(covered);
            BinaryPrimitives.WriteUInt32BigEndian(number, PngChunks.Crc(covered));
            file.AddRange(number);
        }

        return [.. file];
    }

    private static byte[] Zip(byte[] pixels)
    {
        using var memory = new MemoryStream();
        using (var zlib = new ZLibStream(memory, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(pixels);
        }

        return memory.ToArray();
    }

    private static byte[] Unzip(byte[] data)
    {
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
            using var pixels = new MemoryStream();
            zlib.CopyTo(pixels);
            return pixels.ToArray();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // A part of several chunks, or one that was damaged before.
            return data;
        }
    }
}
