namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The one place where files are opened for writing, get their names and are deleted. Tests and the fault drill of `bench` make any of these steps
/// fail, as a full disk does.
/// </summary>
internal static class OutputFile
{
    private const int Buffer = 1 << 16;

    /// <summary>
    /// When set, called before every step ("open", "write", "flush", "move") with the file's path; what it throws, the step fails with.
    /// </summary>
    internal static Action<string, string>? Before { get; set; }

    /// <summary>A new file.</summary>
    /// <exception cref="IOException">It is there already, or cannot be made; so with other exceptions of FileStream.</exception>
    internal static Stream Create(string path) => Open(path, FileMode.CreateNew, FileShare.None, Buffer);

    /// <summary>A file to which lines are added; each write goes to the system at once. What an earlier program left there stays.</summary>
    /// <exception cref="IOException">As above.</exception>
    internal static Stream Append(string path) => Open(path, FileMode.Append, FileShare.Read, 1);

    /// <summary>The same from an empty file.</summary>
    /// <exception cref="IOException">As above.</exception>
    internal static Stream Replace(string path) => Open(path, FileMode.Create, FileShare.Read, 1);

    /// <summary>A file that is there while it is held, for one process at a time.</summary>
    /// <exception cref="IOException">Somebody holds it; or as above.</exception>
    internal static FileStream Hold(string path)
    {
        Before?.Invoke("open", path);
        return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
    }

    /// <summary>Brings a file's bytes to the disk.</summary>
    internal static void FlushToDisk(Stream file, string path)
    {
        Before?.Invoke("flush", path);
        if (file is Output output)
        {
            output.FlushToDisk();
        }
        else
        {
            file.Flush();
        }
    }

    /// <summary>Cuts off what a failed write may have left at the end of a file, if that can be done.</summary>
    internal static void TakeBack(Stream file, long length)
    {
        try
        {
            file.SetLength(length);
        }
        catch (IOException)
        {
            // The failure that brought us here is the one to report.
        }
    }

    /// <summary>Gives a file its name, in the place of what had it.</summary>
    internal static void Move(string from, string to)
    {
        Before?.Invoke("move", to);
        File.Move(from, to, overwrite: true);
    }

    /// <summary>The same for a folder; nothing may have its name.</summary>
    internal static void MoveFolder(string from, string to)
    {
        Before?.Invoke("move", to);
        Directory.Move(from, to);
    }

    /// <summary>Deletes a file, if it can be.</summary>
    /// <returns>What went wrong; null when the file is gone.</returns>
    internal static Exception? Delete(string path)
    {
        try
        {
            File.Delete(path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e;
        }
    }

    private static Stream Open(string path, FileMode mode, FileShare share, int buffer)
    {
        Before?.Invoke("open", path);
        return new Output(new FileStream(path, mode, FileAccess.Write, share, buffer), path);
    }

    // A file that becomes larger than its file system or the shell allows is to .NET an argument that is out of range.
    private sealed class Output(FileStream inner, string path) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => inner.CanSeek;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override void Flush() => Try(inner.Flush);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void SetLength(long value) => inner.SetLength(value);

        public override void WriteByte(byte value) => Write([value]);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        // Half of it is written: a disk is full in the middle.
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                Before?.Invoke("write", path);
            }
            catch
            {
                inner.Write(buffer[..(buffer.Length / 2)]);
                inner.Flush();
                throw;
            }

            try
            {
                inner.Write(buffer);
            }
            catch (ArgumentOutOfRangeException e)
            {
                throw TooLarge(e);
            }
        }

        internal void FlushToDisk() => Try(() => inner.Flush(flushToDisk: true));

        protected override void Dispose(bool disposing)
        {
            Try(inner.Dispose);
            base.Dispose(disposing);
        }

        private void Try(Action act)
        {
            try
            {
                act();
            }
            catch (ArgumentOutOfRangeException e)
            {
                throw TooLarge(e);
            }
        }

        private IOException TooLarge(Exception e) => new($"File too large : '{path}'", e);
    }
}
