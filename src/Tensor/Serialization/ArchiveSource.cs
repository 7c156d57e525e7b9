using Microsoft.Win32.SafeHandles;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Random access to the bytes of a file (or of an array standing for one). Positional reads instead of a memory map: they need no shared position,
/// so tensors can be read from several threads, and a file that shrinks while it is open gives an error here where a map would kill the process.
/// </summary>
internal sealed class ArchiveSource : IDisposable
{
    private readonly SafeFileHandle? _handle;
    private readonly ReadOnlyMemory<byte> _memory;

    private ArchiveSource(string path, SafeFileHandle? handle, ReadOnlyMemory<byte> memory, long length)
    {
        Path = path;
        _handle = handle;
        _memory = memory;
        Length = length;
    }

    /// <summary>The file's path, for messages.</summary>
    public string Path { get; }

    /// <summary>Bytes in the file when it was opened.</summary>
    public long Length { get; }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="InputException">There is no such file, it is a folder, or it cannot be read.</exception>
    public static ArchiveSource Open(string path)
    {
        if (Directory.Exists(path))
        {
            throw new InputException($"{path}: expected a tensor file, got a folder.");
        }

        if (!File.Exists(path))
        {
            throw new InputException($"{(path.Length == 0 ? "''" : path)}: no such file.");
        }

        SafeFileHandle? handle = null;
        try
        {
            handle = PlainFile.OpenHandle(path);
            return new ArchiveSource(path, handle, default, RandomAccess.GetLength(handle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            handle?.Dispose();
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    /// <summary>Bytes in memory under a name.</summary>
    public static ArchiveSource FromMemory(ReadOnlyMemory<byte> content, string name) => new(name, null, content, content.Length);

    /// <summary>Fills <paramref name="destination"/> with the bytes from <paramref name="offset"/> on.</summary>
    /// <exception cref="InputException">The file ends before that, or the disk fails.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Length - destination.Length)
        {
            throw new InputException($"{Path}: truncated: {destination.Length} bytes expected at offset {offset}, the file has {Length}.");
        }

        if (_handle is null)
        {
            _memory.Span.Slice((int)offset, destination.Length).CopyTo(destination);
            return;
        }

        if (_handle.IsClosed)
        {
            throw new ObjectDisposedException(nameof(TensorArchive), $"{Path}: read after the archive was disposed of");
        }

        try
        {
            while (!destination.IsEmpty)
            {
                int got = RandomAccess.Read(_handle, destination, offset);
                if (got == 0)
                {
                    throw new InputException($"{Path}: truncated while it was read: no byte at offset {offset}.");
                }

                destination = destination[got..];
                offset += got;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{Path}: cannot be read at offset {offset} ({e.Message})", e);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle?.Dispose();
}
