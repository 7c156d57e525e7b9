using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Reads whole small files, turning every way that can fail into one sentence.</summary>
internal static class InputFile
{
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
    /// <exception cref="InputException">As for <see cref="ReadAllBytes"/>.</exception>
    public static List<string> ReadLines(string path, string expected)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw new InputException($"{path}: file not found, expected {expected}, one a line");
        }

        var lines = new List<string>();
        using var reader = new StreamReader(new MemoryStream(ReadAllBytes(path), writable: false));
        while (reader.ReadLine() is { } line)
        {
            string trimmed = line.Trim();
            if (trimmed.Length > 0)
            {
                lines.Add(trimmed);
            }
        }

        return lines;
    }
}
