using System.Text;
using Spectre.Console;

namespace Ldvc.Cli;

/// <summary>A writer to a console that draws bars: whole lines only, which the console puts above them. May be used from several threads.</summary>
internal sealed class ConsoleWriter(IAnsiConsole console) : TextWriter
{
    private readonly StringBuilder _line = new();

    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

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
                ConsoleFactory.WriteAbove(console, _line.ToString().TrimEnd('\r'));
                _line.Clear();
            }
            else
            {
                _line.Append(value);
            }
        }
    }
}
