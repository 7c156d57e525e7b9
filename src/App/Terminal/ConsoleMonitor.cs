using Ldvc.Lab.Ablation;
using Ldvc.Training;

namespace Ldvc.App.Terminal;

/// <summary>Follows runs on the console: lines go to the output, warnings to the error stream, loops get a bar or a line every few seconds.</summary>
/// <param name="host">Where to write.</param>
internal sealed class ConsoleMonitor(VerbHost host) : IComparisonMonitor
{
    private ProgressReporter? _loop;

    /// <inheritdoc/>
    public void Say(string line)
    {
        // A line that is said while a bar moves goes above it.
        if (_loop is { } loop)
        {
            loop.Message(line);
        }
        else
        {
            host.Output.WriteLine(line);
        }
    }

    /// <inheritdoc/>
    public void Warn(string sentence) => host.Error.WriteLine("ldvc: " + TerminalText.OneLine(sentence));

    /// <inheritdoc/>
    public T Loop<T>(string title, int first, int total, Func<IProgress<ProgressStatus>, T> loop) => ProgressReporter.Run(
        host, title, first, total, reporter =>
    {
        _loop = reporter;
        try
        {
            return loop(reporter);
        }
        finally
        {
            _loop = null;
        }
    });

    /// <inheritdoc/>
    public void Together(Action<IComparisonMonitor> work) => ProgressReporter.Together(host, inner => work(new ConsoleMonitor(inner)));

    /// <inheritdoc/>
    public IComparisonMonitor Marked(string mark) => new ConsoleMonitor(host with
    {
        Output = LineWriter.Marked(host.Output, mark),
        Error = LineWriter.Marked(host.Error, mark),
        Board = host.Board is { } board ? board with { Mark = mark } : null,
    });
}
