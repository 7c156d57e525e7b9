using System.Buffers;
using System.Text;
using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Reads whole small files, turning every way that can fail into one sentence.</summary>
internal static class InputFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true);

    /// <summary>No picture or label map is larger than this many bytes on disk.</summary>
    public const long MaxBytes = 512L << 20;

    /// <summary>All bytes of <paramref name="path"/>.</summary>
    /// <exception cref="InputException">The file is missing, unreadable, a folder, or larger than <see cref="MaxBytes"/>.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists)
            {
                throw new InputException(Directory.Exists(path) ? $"{path}: is a folder, expected a file" : $"{path}: file not found");
            }

            if (info.Length > MaxBytes)
            {
                throw new InputException($"{path}: {info.Length} bytes, expected at most {MaxBytes}");
            }

            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    /// <summary>The lines of a text file, trimmed, without the empty ones.</summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">What the file is for; a missing one is reported with it.</param>
    /// <exception cref="InputException">As for <see cref="ReadAllLines"/>.</exception>
    public static List<string> ReadLines(string path, string expected) =>
        [.. ReadAllLines(path, expected).Select(line => line.Trim()).Where(line => line.Length > 0)];

    /// <summary>All lines of a text file as they are: line n stands at n - 1.</summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">What the file is for; a missing one is reported with it.</param>
    /// <exception cref="InputException">As for <see cref="ReadAllBytes"/>, or the text is not UTF-8; the message names the line.</exception>
    public static List<string> ReadAllLines(string path, string expected)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw new InputException($"{path}: file not found, expected {expected}, one a line");
        }

        byte[] bytes = ReadAllBytes(path);
        var lines = new List<string>();
        try
        {
            using var reader = new StringReader(Utf8.GetString(bytes.AsSpan(bytes.AsSpan().StartsWith(Utf8.Preamble) ? Utf8.Preamble.Length : 0)));
            while (reader.ReadLine() is { } line)
            {
                lines.Add(line);
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new InputException($"{path}, line {LineOf(bytes)}: expected text in UTF-8, found bytes that are not", e);
        }

        return lines;
    }

    // The line of the first bytes that are not UTF-8. A line break is never part of another character's bytes.
    private static int LineOf(byte[] bytes)
    {
        int valid = 0;
        while (Rune.DecodeFromUtf8(bytes.AsSpan(valid), out _, out int consumed) == OperationStatus.Done)
        {
            valid += consumed;
        }

        ReadOnlySpan<byte> before = bytes.AsSpan(0, valid);
        return 1 + before.Count("\n"u8) + before.Count("\r"u8) - before.Count("\r\n"u8);
    }
}
