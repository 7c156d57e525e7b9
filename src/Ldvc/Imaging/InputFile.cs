using System.Buffers;
using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Imaging;

/// <summary>Reads whole small files, turning every way that can fail into one sentence.</summary>
internal static class InputFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true);

    /// <summary>No picture or label map is larger than this many bytes on disk.</summary>
    public const long MaxBytes = 512L << 20;

    // Of a text file. The largest lists of data sets have some ten megabytes; a path has at most 4096 bytes.
    private const long MaxTextBytes = 64L << 20;
    private const int MaxLines = 4_000_000;
    private const int MaxLine = 1 << 14;

    /// <summary>All bytes of <paramref name="path"/>.</summary>
    /// <exception cref="InputException">The file is missing, unreadable, a folder, or larger than <see cref="MaxBytes"/>.</exception>
    public static byte[] ReadAllBytes(string path) => PlainFile.ReadAll(path, MaxBytes);

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

        byte[] bytes = PlainFile.ReadAll(path, MaxTextBytes, pipes: true);
        var lines = new List<string>();
        try
        {
            using var reader = new StringReader(Utf8.GetString(bytes.AsSpan(bytes.AsSpan().StartsWith(Utf8.Preamble) ? Utf8.Preamble.Length : 0)));
            while (reader.ReadLine() is { } line)
            {
                if (line.Length > MaxLine || lines.Count == MaxLines)
                {
                    throw new InputException(
                        $"{path}, line {lines.Count + 1}: expected at most {MaxLines} lines of at most {MaxLine} characters, found more");
                }

                lines.Add(line);
            }
        }
        catch (DecoderFallbackException e)
        {
            string kind = bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] ? " (they are UTF-16, as > of Windows PowerShell writes it)" : "";
            throw new InputException($"{path}, line {LineOf(bytes)}: expected text in UTF-8, found bytes that are not{kind}", e);
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
