using System.Text;
using Spectre.Console;

namespace Ldvc.App.Terminal;

/// <summary>A writer for one of several threads that write at once: it passes on whole lines only. May be used from several threads.</summary>
internal sealed class LineWriter : TextWriter
{
    private readonly Action<string> _pass;
    private readonly StringBuilder _line = new();

    private LineWriter(Action<string> pass) => _pass = pass;

    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Each line goes to a writer, with a prefix that names its source.</summary>
    /// <param name="target">Where lines go. All writers to it lock it while they write.</param>
    /// <param name="mark">What stands before each line.</param>
    internal static LineWriter Marked(TextWriter target, string mark) => new(text =>
    {
        lock (target)
        {
            target.WriteLine(mark + text);
            target.Flush();
        }
    });

    /// <summary>Each line goes to a console that draws bars, which puts it above them.</summary>
    internal static LineWriter Above(IAnsiConsole console) => new(text => ConsoleFactory.WriteAbove(console, text));

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        lock (_line)
        {
            _line.Append(value);
            Write('\n');
        }
    }

    /// <inheritdoc/>
    public override void Write(char value)
    {
        lock (_line)
        {
            if (value == '\n')
            {
                string text = _line.ToString().TrimEnd('\r');
                _line.Clear();
                _pass(text);
            }
            else
            {
                _line.Append(value);
            }
        }
    }
}
