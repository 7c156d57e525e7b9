using System.Text;

namespace Ldvc.Imaging;

/// <summary>What a file that is no picture to this program is, by its first bytes: the end of a sentence about it.</summary>
internal static class FileContent
{
    private const int LookedAt = 64;

    private static readonly byte[] s_jpeg = [0xFF, 0xD8, 0xFF];

    // Where the bytes stand, and what has them.
    private static readonly (int At, string Bytes, string Name)[] s_known =
    [
        (0, "\u00FF\u00D8\u00FF", "a JPEG"), (0, "\u0089PNG", "a PNG"), (0, "GIF8", "a GIF"), (8, "WEBP", "a WebP"), (0, "BM", "a BMP"),
        (0, "II*\0", "a TIFF"), (0, "MM\0*", "a TIFF"), (4, "ftypavif", "an AVIF"), (4, "ftyp", "a HEIC or a film"), (4, "jP  ", "a JPEG 2000"),
        (4, "JXL ", "a JPEG XL"), (0, "\u00FF\n", "a JPEG XL"), (0, "8BPS", "a Photoshop file"), (0, "%PDF", "a PDF"),
        (0, "PK\u0003\u0004", "a ZIP archive"), (0, "\u001F\u008B", "a gzip archive"), (0, "\u0093NUMPY", "a NumPy array"),
        (0, "MATLAB ", "a MATLAB file"), (0, "\u0089HDF", "an HDF5 file (MATLAB's version 7.3 is one)"),
        (0, "version https://git-lfs", "a Git LFS pointer (the file itself was not downloaded)"),
    ];

    /// <summary>", found a TIFF"; empty when nothing tells.</summary>
    /// <param name="file">The file.</param>
    internal static string Found(ReadOnlySpan<byte> file)
    {
        string start = Encoding.Latin1.GetString(file[..Math.Min(LookedAt, file.Length)]);
        string? known = Array.Find(s_known, one => start.Length >= one.At && start.AsSpan(one.At).StartsWith(one.Bytes)).Name;
        string text = start.TrimStart().ToLowerInvariant();
        known ??= text.StartsWith("<!doctype html", StringComparison.Ordinal) || text.StartsWith("<html", StringComparison.Ordinal) ? "a web page"
            : text.StartsWith("<svg", StringComparison.Ordinal) || text.StartsWith("<?xml", StringComparison.Ordinal) ? "an SVG or other XML"
            : text.Length > 0 && start.All(c => c is >= ' ' and <= '~' or '\n' or '\r' or '\t') ? "text" : null;
        return known is null ? "" : $", found {known}";
    }

    /// <summary>What to do with a mask in a format that masks are not read from: the end of a sentence about it.</summary>
    /// <param name="file">The file.</param>
    internal static string MaskRemedy(ReadOnlySpan<byte> file) =>
        file.StartsWith(s_jpeg)
            ? ": JPEG changes numbers and colours along edges, so the masks have to be made anew as PNG; of two classes, 0 below 128 and 1 from "
                + "there on"
            : IsExactPicture(file) ? ": data.colors of data.kind: folder reads such files by their colours, greys too" : "";

    /// <summary>Whether a file is a picture other than a PNG that keeps colours as they were.</summary>
    /// <param name="file">The file.</param>
    internal static bool IsExactPicture(ReadOnlySpan<byte> file) => file.StartsWith("BM"u8) || file.StartsWith("GIF8"u8);
}
