using System.Globalization;
using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Checksums of a safetensors file as two entries of its metadata, which other programs read over: "crc32c" has eight hexadecimal digits for the
/// bytes of each tensor, in the order of their places in the file; "header_crc32c" eight for the header itself, from the length on, with zeros in its
/// own place. Files without them are read as they are.
/// </summary>
internal static class SafetensorsChecksums
{
    /// <summary>Key of the tensors' checksums.</summary>
    internal const string TensorsKey = "crc32c";

    /// <summary>Key of the header's.</summary>
    internal const string HeaderKey = "header_crc32c";

    /// <summary>Digits of one.</summary>
    internal const int Digits = 8;

    /// <summary>One as text.</summary>
    internal static string Text(uint checksum) => checksum.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>
    /// Where the value of a key begins in a header as it is written here; quotes inside of texts are escaped, so that only a key looks like this.
    /// </summary>
    internal static int Place(ReadOnlySpan<byte> header, string key)
    {
        byte[] start = Encoding.ASCII.GetBytes($"\"{key}\":\"");
        int at = header.IndexOf(start);
        return at < 0 ? -1 : at + start.Length;
    }

    /// <summary>The header's checksum.</summary>
    /// <param name="header">Length and JSON.</param>
    /// <param name="place">Where its own digits are.</param>
    internal static uint OfHeader(ReadOnlySpan<byte> header, int place) =>
        Crc32C.Of(header[(place + Digits)..], Crc32C.Of("00000000"u8, Crc32C.Of(header[..place])));

    /// <summary>Checks the header and gives each tensor's checksum; none where the file has none.</summary>
    /// <param name="header">Length and JSON.</param>
    /// <param name="metadata">Its metadata; the two entries are taken out.</param>
    /// <param name="names">The tensors in the order of their places.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="InputException">The header has changed since it was written, or has one of the two entries alone.</exception>
    internal static Dictionary<string, uint> Take(
        ReadOnlySpan<byte> header, Dictionary<string, string> metadata, IReadOnlyList<string> names, string path)
    {
        bool tensors = metadata.Remove(TensorsKey, out string? sums), own = metadata.Remove(HeaderKey, out string? stored);
        var taken = new Dictionary<string, uint>(StringComparer.Ordinal);
        if (!tensors && !own)
        {
            return taken;
        }

        int place = Place(header, HeaderKey);
        if (!tensors || !own || place < 0 || place + Digits > header.Length || Text(OfHeader(header, place)) != stored
            || sums!.Length != Digits * names.Count)
        {
            throw new InputException($"{path}: the header is damaged: it does not have the checksum that it was written with.");
        }

        for (int i = 0; i < names.Count; i++)
        {
            taken[names[i]] = uint.TryParse(
                sums.AsSpan(Digits * i, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint sum)
                ? sum
                : throw new InputException($"{path}: the header is damaged: the checksum of tensor {ArchiveText.Quote(names[i])} is none.");
        }

        return taken;
    }
}
