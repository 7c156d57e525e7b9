using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Several files that belong together: each is written whole under another name first, and all get their names when the last one is written. A disk
/// that is full at any of them leaves what was there before.
/// </summary>
internal sealed class AtomicFiles : IDisposable
{
    // What systems take.
    private const int LongestName = 255;

    // Names in these folders are devices and the system's own; files lie in shared memory alone.
    private const string SharedMemory = "/dev/shm/";
    private static readonly string[] OfSystem = ["/dev/", "/proc/", "/sys/"];

    private readonly List<(string Shown, string Full, string Temporary)> _files = [];

    /// <summary>Writes a file, under its temporary name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Gives its content.</param>
    /// <exception cref="InputException">The folder or the file cannot be written, or the disk is full.</exception>
    internal void Add(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new InputException($"{path}: expected a file to write, got a folder.");
        }

        // A rename would put a file in the place of a device such as /dev/null.
        if (FileKind.Special(full) is { } kind)
        {
            throw new InputException($"{path}: expected a file to write, got {kind}.");
        }

        // A rename would take from everybody what the system keeps there: /dev/stdout is a link, perhaps to a plain file.
        if (OperatingSystem.IsLinux() && Array.Find(OfSystem, start => full.StartsWith(start, StringComparison.Ordinal)) is { } place
            && !full.StartsWith(SharedMemory, StringComparison.Ordinal))
        {
            throw new InputException($"{path}: expected a file to write, got a name in {place}, which the system keeps to itself.");
        }

        int bytes = Encoding.UTF8.GetByteCount(Path.GetFileName(full));
        if (bytes > LongestName && !OperatingSystem.IsWindows())
        {
            throw new InputException($"{path}: its name has {bytes} bytes, expected at most {LongestName}.");
        }

        string folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder))
        {
            throw new InputException($"{path}: cannot be written, the folder {folder} does not exist.");
        }

        string temporary = TemporaryName(full);
        _files.Add((path, full, temporary));
        Try(path, () =>
        {
            using Stream stream = OutputFile.Create(temporary);
            write(stream);
            OutputFile.FlushToDisk(stream, temporary);
        });
    }

    /// <summary>
    /// Says before anything is computed what writing the file would say after: that it is a folder or a device, or that its folder takes no files.
    /// Nothing stays behind.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">As for <see cref="Add"/>.</exception>
    internal static void Probe(string path)
    {
        using var files = new AtomicFiles();
        files.Add(path, _ => { });
    }

    /// <summary>
    /// What a file or folder is called in its own folder until it is whole. Of a long name only the beginning counts: systems take names of at most
    /// 255 bytes, which a legal name and what is added here would exceed together.
    /// </summary>
    internal static string TemporaryName(string full)
    {
        const int Kept = 48;
        string name = Path.GetFileName(full), start = name.Length <= Kept ? name : name[..(char.IsHighSurrogate(name[Kept - 1]) ? Kept - 1 : Kept)];
        return Path.Combine(Path.GetDirectoryName(full) ?? full, $".{start}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp");
    }

    /// <summary>Gives all files their names, in the order in which they were added.</summary>
    /// <exception cref="InputException">One cannot be renamed; those before it have their names.</exception>
    internal void Commit()
    {
        while (_files.Count > 0)
        {
            var (path, full, temporary) = _files[0];
            Try(path, () => OutputFile.Move(temporary, full));
            _files.RemoveAt(0);
        }
    }

    /// <summary>Removes what did not get its name.</summary>
    public void Dispose()
    {
        // A failure that brought us here is the one to report.
        _files.ForEach(file => OutputFile.Delete(file.Temporary));
        _files.Clear();
    }

    private static void Try(string path, Action act)
    {
        try
        {
            act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new InputException($"{path}: cannot be written ({e.Message})", e);
        }
    }
}
