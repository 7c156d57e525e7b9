using Ldvc.Tensors;

namespace Ldvc.Imaging;

/// <summary>Writes a file so that its name holds either the old content or the whole new one, never a part.</summary>
internal static class AtomicFile
{
    /// <summary>Writes to a temporary neighbour, then renames over <paramref name="path"/>.</summary>
    /// <exception cref="InputException">The folder is missing or cannot be written to.</exception>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> content)
    {
        string temporary = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            TryDelete(temporary);
            throw new InputException($"{path}: cannot be written ({e.Message})", e);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // The first error is the one worth reporting.
        }
    }
}
