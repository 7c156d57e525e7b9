using Microsoft.Win32.SafeHandles;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The one place where files are opened for reading: devices, sockets and named pipes are refused before they are opened, and what is read whole is
/// read up to a limit, counted while reading.
/// </summary>
internal static class PlainFile
{
    // Pipes that a shell has opened for this process: nothing is waited for when they are opened again.
    private static readonly string[] Handed = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"];

    private const int Piece = 1 << 16;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pipes">Whether a pipe from the shell will do, as in --classes-file &lt;(command).</param>
    /// <exception cref="InputException">It is missing, a folder, a device, a socket or a pipe, or cannot be opened.</exception>
    internal static FileStream Open(string path, bool pipes = false) =>
        Try(path, pipes, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1));

    /// <summary>The same for reading at any place.</summary>
    /// <exception cref="InputException">As there.</exception>
    internal static SafeFileHandle OpenHandle(string path) =>
        Try(path, pipes: false, () => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));

    /// <summary>All bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="max">More bytes are refused.</param>
    /// <param name="pipes">As for <see cref="Open"/>.</param>
    /// <exception cref="InputException">It has more bytes, is no file, or cannot be read.</exception>
    internal static byte[] ReadAll(string path, long max, bool pipes = false)
    {
        using FileStream file = Open(path, pipes);
        try
        {
            return ReadAll(file, path, max);
        }
        catch (IOException e)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>The first bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">So many at most.</param>
    /// <exception cref="InputException">It is no file, or cannot be read.</exception>
    internal static byte[] ReadStart(string path, int most)
    {
        using FileStream file = Open(path);
        try
        {
            byte[] bytes = new byte[most];
            Array.Resize(ref bytes, file.ReadAtLeast(bytes, most, throwOnEndOfStream: false));
            return bytes;
        }
        catch (IOException e)
        {
            throw Unreadable(path, e);
        }
    }

    private static byte[] ReadAll(FileStream file, string path, long max)
    {
        long length = file.CanSeek ? file.Length : 0;
        if (length > max)
        {
            throw new InputException($"{path}: {length} bytes, expected at most {max}.");
        }

        byte[] bytes = new byte[length];
        int done = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);

        // A file may grow meanwhile, and those that the system makes up have length 0.
        while (done == bytes.Length && file.ReadByte() is >= 0 and var next)
        {
            if (done >= max)
            {
                throw new InputException($"{path}: more than {max} bytes, expected at most {max}.");
            }

            Array.Resize(ref bytes, (int)Math.Min(max, Math.Max(2L * bytes.Length, Piece)));
            bytes[done++] = (byte)next;
            done += file.ReadAtLeast(bytes.AsSpan(done), bytes.Length - done, throwOnEndOfStream: false);
        }

        if (done < bytes.Length)
        {
            Array.Resize(ref bytes, done);
        }

        return bytes;
    }

    private static T Try<T>(string path, bool pipes, Func<T> open)
    {
        try
        {
            return FileKind.Special(path) is { } kind
                && !(pipes && kind == "a pipe" && Array.Exists(Handed, start => path.StartsWith(start, StringComparison.Ordinal)))
                ? throw new InputException($"{path}: expected a file, found {kind}.")
                : open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw Unreadable(path, e);
        }
    }

    private static InputException Unreadable(string path, Exception e) => e is FileNotFoundException or DirectoryNotFoundException
        ? new($"{path}: file not found{Why(path)}", e)
        : Directory.Exists(path) ? new($"{path}: is a folder, expected a file", e)
        : new($"{path}: cannot be read ({e.Message})", e);

    /// <summary>
    /// What a message about a file that is not there adds: a name whose bytes are not UTF-8 is read with U+FFFD in it, and no file has that name; a
    /// link may lead to nothing.
    /// </summary>
    internal static string Why(string path) => path.Contains('\uFFFD', StringComparison.Ordinal)
        ? ", as its name has bytes that are not UTF-8; expected another name"
        : FileKind.DeadLink(path) is { } target ? $", but a link to {target}, which is not there" : "";
}
