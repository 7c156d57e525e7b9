namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Writes a file so that its name only ever shows the old content or the whole new one: a temporary file in the same folder, flushed to the disk,
/// then renamed over the target. When anything fails the temporary file is removed.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/> with what <paramref name="write"/> puts into the stream.</summary>
    /// <exception cref="InputException">The folder or the file cannot be written, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var files = new AtomicFiles();
        files.Add(path, write);
        files.Commit();
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    /// <exception cref="InputException">As for <see cref="Write"/>.</exception>
    public static void WriteText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
    }
}
