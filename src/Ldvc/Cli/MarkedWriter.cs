using System.Text;

namespace Ldvc.Cli;

/// <summary>A writer for one of several that talk at once: it passes on whole lines only, each with a mark before it that says whose it is.</summary>
/// <param name="target">Where lines go. All writers to it lock it while they write.</param>
/// <param name="mark">What stands before each line.</param>
internal sealed class MarkedWriter(TextWriter target, string mark) : TextWriter
{
    private readonly StringBuilder _line = new();

    /// <inheritdoc/>
    public override Encoding Encoding => target.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        lock (_line)
        {
            if (value == '\n')
            {
                string text = _line.ToString().TrimEnd('\r');
                _line.Clear();
                lock (target)
                {
                    target.WriteLine(mark + text);
                    target.Flush();
                }
            }
            else
            {
                _line.Append(value);
            }
        }
    }
}
