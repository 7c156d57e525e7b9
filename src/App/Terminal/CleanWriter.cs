using System.Text;

namespace Ldvc.App.Terminal;

/// <summary>
/// What the program writes goes through one of these, for output and errors alike: cleaned (see <see cref="TerminalText"/>), and a stream that cannot
/// take it, on a full disk for example, stops nothing: the first failure is kept and said at the end. May be used from several threads.
/// </summary>
internal sealed class CleanWriter : TextWriter
{
    private readonly Guarded _inner;

    /// <summary>Takes the stream; it is not closed here.</summary>
    internal CleanWriter(TextWriter inner) => _inner = new Guarded(inner);

    /// <inheritdoc/>
    public override Encoding Encoding => _inner.Encoding;

    /// <summary>Why the stream took no more; null as long as it does.</summary>
    internal Exception? Fault => _inner.Fault;

    /// <summary>The same without cleaning, for what draws on the terminal and cleans texts itself.</summary>
    internal TextWriter Raw => _inner;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            _inner.Write(TerminalText.Clean(value));
        }
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value) => _inner.WriteLine(TerminalText.Clean(value ?? ""));

    /// <inheritdoc/>
    public override void Flush() => _inner.Flush();

    // Every overload of TextWriter ends in one of these.
    private sealed class Guarded(TextWriter inner) : TextWriter
    {
        private Exception? _fault;

        public override Encoding Encoding => inner.Encoding;

        public Exception? Fault => Volatile.Read(ref _fault);

        public override void Write(char value) => Try(() => inner.Write(value));

        public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

        public override void Write(string? value) => Try(() => inner.Write(value));

        public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

        public override void Flush() => Try(inner.Flush);

        private void Try(Action write)
        {
            if (Fault is not null)
            {
                return;
            }

            try
            {
                write();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException or ArgumentOutOfRangeException)
            {
                // The last one is a file that may not become larger.
                Interlocked.CompareExchange(ref _fault, e, null);
            }
        }
    }
}
