using System.Globalization;
using System.Threading.Channels;

namespace Ldvc.App.Web;

/// <summary>
/// One line for each request. Lines are written by a task of their own: a terminal that is held, a full disk or a closed pipe delays no answer. What
/// finds no room, or cannot be written, is counted.
/// </summary>
internal sealed class RequestLog : IAsyncDisposable
{
    private const int MaxLines = 4096;
    private const int MaxText = 100;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxLines) { SingleReader = true });
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly ServerMetrics _metrics;
    private readonly Task _writing;
    private bool _said;

    /// <summary>Starts writing.</summary>
    /// <param name="output">Gets the lines.</param>
    /// <param name="error">Is told, once, when lines cannot be written.</param>
    /// <param name="metrics">Counts lines that are lost.</param>
    internal RequestLog(TextWriter output, TextWriter error, ServerMetrics metrics)
    {
        (_output, _error, _metrics) = (output, error, metrics);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Adds a line.</summary>
    /// <param name="address">Who asked.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="path">Its path, without the query.</param>
    /// <param name="status">Status code of the answer.</param>
    /// <param name="bytes">Bytes of the answer.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="note">What else is to be known; may be empty.</param>
    internal void Add(string address, string method, string path, int status, long bytes, double seconds, string note)
    {
        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string end = note.Length > 0 ? "  " + note : "";
        if (!_lines.Writer.TryWrite(Clean(string.Create(
            CultureInfo.InvariantCulture, $"{time} {address} {Short(method)} {Short(path)} {status} {bytes} B {seconds:F3} s{end}"))))
        {
            _metrics.LoseLine();
        }
    }

    /// <summary>Text that cannot move a terminal's cursor, start a line or turn the reading direction around.</summary>
    internal static string Clean(string text) => string.Concat(
        text.Select(c => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse ? '?' : c));

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private static string Short(string text) =>
        string.Concat(text.Take(MaxText).Select(c => c is > ' ' and <= '~' ? c : '?')) + (text.Length > MaxText ? "..." : "");

    private async Task WriteAsync()
    {
        await foreach (string line in _lines.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                lock (_output)
                {
                    _output.WriteLine(line);
                    _output.Flush();
                }
            }
#pragma warning disable CA1031 // A log that cannot be written, whatever the reason, ends no server.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _metrics.LoseLine();
                if (!_said)
                {
                    _said = true;
                    Complain(e);
                }
            }
        }
    }

    private void Complain(Exception e)
    {
        try
        {
            _error.WriteLine($"ldvc: the request log cannot be written ({e.Message.TrimEnd('.')}); requests are answered without it.");
        }
        catch (IOException)
        {
            // Nobody is there to be told.
        }
    }
}
