using System.Buffers.Binary;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>The container level of PNG: the signature, and chunks of (length, type, data, CRC).</summary>
internal static class PngChunks
{
    private static readonly uint[] CrcTable = BuildCrcTable();

    /// <summary>The eight bytes every PNG starts with.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>
    /// Splits a file into chunks up to and including IEND; checks every length and CRC. Offsets and lengths are of the chunks' data.
    /// </summary>
    public static List<(string Type, int Offset, int Length)> Split(ReadOnlySpan<byte> file, string name)
    {
        if (!file.StartsWith(Signature))
        {
            throw new InputException(
                file.IsEmpty ? $"{name}: is empty, expected a PNG file"
                    : $"{name}: not a PNG file (label maps must be PNG{FileContent.Found(file)}){FileContent.MaskRemedy(file)}");
        }

        var chunks = new List<(string, int, int)>();
        int position = Signature.Length;
        while (true)
        {
            if (file.Length - position < 12)
            {
                throw new InputException($"{name}: truncated, expected another PNG chunk at byte {position} of {file.Length}");
            }

            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
            if (length > file.Length - position - 12)
            {
                throw new InputException($"{name}: truncated, the PNG chunk at byte {position} claims {length} bytes, the file ends before");
            }

            string type = TypeName(file.Slice(position + 4, 4), position, name);
            var covered = file.Slice(position + 4, 4 + (int)length);
            uint stored = BinaryPrimitives.ReadUInt32BigEndian(file[(position + 8 + (int)length)..]);
            if (Crc(covered) != stored)
            {
                throw new InputException($"{name}: damaged, the CRC of the {type} chunk at byte {position} is wrong");
            }

            chunks.Add((type, position + 8, (int)length));
            position += 12 + (int)length;
            if (type == "IEND")
            {
                return chunks;
            }
        }
    }

    /// <summary>CRC-32 as PNG and zlib define it.</summary>
    public static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[] BuildCrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < 256; n++)
        {
            uint c = n;
            for (int bit = 0; bit < 8; bit++)
            {
                c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            }

            table[n] = c;
        }

        return table;
    }

    private static string TypeName(ReadOnlySpan<byte> type, int position, string name)
    {
        foreach (byte b in type)
        {
            if (!char.IsAsciiLetter((char)b))
            {
                throw new InputException($"{name}: damaged, no PNG chunk name at byte {position + 4}");
            }
        }

        return System.Text.Encoding.ASCII.GetString(type);
    }
}
