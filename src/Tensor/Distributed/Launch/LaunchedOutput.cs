using System.Runtime.InteropServices;
using System.Text;

namespace Ldvc.Tensors.Distributed.Launch;

/// <summary>
/// The standard streams of a process that a launcher started. Open MPI gives its processes a terminal and passes on what they write there; .NET's
/// console would greet a terminal with control sequences, which end up in the user's files.
/// </summary>
internal static partial class LaunchedOutput
{
    /// <summary>Standard output.</summary>
    internal static TextWriter Out => Open(1, () => Console.Out);

    /// <summary>Standard error.</summary>
    internal static TextWriter Error => Open(2, () => Console.Error);

    private static TextWriter Open(int descriptor, Func<TextWriter> other) => OperatingSystem.IsWindows()
        ? other()
        : TextWriter.Synchronized(new StreamWriter(new DescriptorStream(descriptor), new UTF8Encoding(false)) { AutoFlush = true });

    // What is written goes to the descriptor as it is, whatever that is: no position is kept, which other processes would not know.
    private sealed partial class DescriptorStream(int descriptor) : Stream
    {
        private const int Interrupted = 4;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override unsafe void Write(ReadOnlySpan<byte> buffer)
        {
            fixed (byte* start = buffer)
            {
                for (int done = 0; done < buffer.Length;)
                {
                    nint written = WriteTo(descriptor, start + done, buffer.Length - done);
                    if (written > 0)
                    {
                        done += (int)written;
                    }
                    else if (Marshal.GetLastPInvokeError() != Interrupted)
                    {
                        // The launcher has closed its end: as with .NET's console, nobody reads any more.
                        return;
                    }
                }
            }
        }

        [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static unsafe partial nint WriteTo(int descriptor, byte* bytes, nint count);
    }
}
