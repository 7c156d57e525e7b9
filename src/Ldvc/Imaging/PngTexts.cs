using System.Buffers.Binary;
using System.Text;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Imaging;

/// <summary>The text chunks of a PNG file that stand before its pixels.</summary>
internal static class PngTexts
{
    // Header, palette and what else may stand before texts take a few kilobytes; a text itself is not read, only what it is called.
    private const int Start = 1 << 14;

    /// <summary>Whether a file is a PNG with a text of this keyword.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keyword">The keyword, in ASCII.</param>
    /// <exception cref="Tensors.InputException">It cannot be read.</exception>
    internal static bool Has(string path, string keyword) => Has(PlainFile.ReadStart(path, Start), keyword);

    private static bool Has(ReadOnlySpan<byte> file, string keyword)
    {
        if (!file.StartsWith(PngChunks.Signature))
        {
            return false;
        }

        byte[] wanted = Encoding.ASCII.GetBytes(keyword + '\0');
        ReadOnlySpan<byte> rest = file[PngChunks.Signature.Length..];
        while (rest.Length >= 12 && !rest[4..8].SequenceEqual("IDAT"u8))
        {
            ReadOnlySpan<byte> type = rest[4..8];
            if ((type.SequenceEqual("tEXt"u8) || type.SequenceEqual("iTXt"u8)) && rest[8..].StartsWith(wanted))
            {
                return true;
            }

            uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 12)
            {
                return false;
            }

            rest = rest[(12 + (int)length)..];
        }

        return false;
    }
}
