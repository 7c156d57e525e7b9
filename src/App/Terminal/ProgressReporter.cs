using System.Globalization;
using Ldvc.Training;
using Spectre.Console;

namespace Ldvc.App.Terminal;

/// <summary>
/// Shows the progress of a loop: a moving bar on a terminal, a plain line every few seconds anywhere else (a log file, a pipe).
/// </summary>
internal sealed class ProgressReporter : IProgress<ProgressStatus>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Action<string> _line;
    private readonly TimeProvider _clock;
    private readonly ProgressTask? _bar;
    private readonly string _title;
    private readonly int _first;
    private readonly int _total;
    private readonly bool _leaves;
    private readonly long _started;
    private long _lastLine;

    private ProgressReporter(Action<string> line, TimeProvider clock, ProgressTask? bar, string title, int first, int total, bool leaves = false)
    {
        _line = line;
        _clock = clock;
        _bar = bar;
        _title = title;
        _first = first;
        _total = total;
        _leaves = leaves;
        _started = clock.GetTimestamp();
        _lastLine = _started;
    }

    /// <summary>Runs a loop with a reporter. Reports and messages come from the loop's own thread.</summary>
    /// <param name="host">Where to write, and whether it is a terminal.</param>
    /// <param name="title">What is counted, e.g. "step" or "image".</param>
    /// <param name="first">Steps done before (a resumed run).</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="loop">The loop; it calls <see cref="Report"/> after every step.</param>
    /// <param name="clock">The time; the system's unless a test says otherwise.</param>
    public static T Run<T>(VerbHost host, string title, int first, int total, Func<ProgressReporter, T> loop, TimeProvider? clock = null)
    {
        TimeProvider time = clock ?? TimeProvider.System;
        if (host.Board is { } board)
        {
            title = board.Mark + title;
            return loop(new ProgressReporter(
                text => ConsoleFactory.WriteAbove(board.Console, text), time, Bar(board.Bars, title, total), title, first, total, leaves: true));
        }

        if (!host.Interactive)
        {
            void Line(string text)
            {
                host.Output.WriteLine(text);
                host.Output.Flush();
            }

            return loop(new ProgressReporter(Line, time, null, title, first, total));
        }

        // Lines go through the console that draws the bar: it puts them above.
        IAnsiConsole console = ConsoleFactory.Create(host.Output, interactive: true);
        return Draw(console).Start(context =>
            loop(new ProgressReporter(text => ConsoleFactory.WriteAbove(console, text), time, Bar(context, title, total), title, first, total)));
    }

    /// <summary>
    /// Runs work whose loops run at the same time: on a terminal their bars stand below each other and each leaves a line, anywhere else each writes
    /// its lines.
    /// </summary>
    /// <param name="host">Where to write, and whether it is a terminal.</param>
    /// <param name="work">The work; its loops get the host that it is given.</param>
    public static void Together(VerbHost host, Action<VerbHost> work)
    {
        if (!host.Interactive)
        {
            work(host);
            return;
        }

        IAnsiConsole console = ConsoleFactory.Create(host.Output, interactive: true);
        Draw(console).HideCompleted(true).Start(
            context => work(host with { Output = LineWriter.Above(console), Board = new ProgressBoard(console, context) }));
    }

    private static Progress Draw(IAnsiConsole console) =>
        console.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn());

    private static ProgressTask Bar(ProgressContext context, string title, int total) =>
        context.AddTask(Markup.Escape(TerminalText.Clean(title)), autoStart: true, maxValue: total);

    /// <summary>Says something in between, on a line of its own.</summary>
    public void Message(string text) => _line(text);

    /// <summary>Shows where the loop is.</summary>
    public void Report(ProgressStatus value)
    {
        if (_bar is not null)
        {
            _bar.Value = value.Step;
            _bar.Description = Markup.Escape(TerminalText.Clean(Describe(value)));
            if (_leaves && value.Step >= _total)
            {
                // The bar goes, a line stays.
                _line(Describe(value));
            }

            return;
        }

        // The first and the last report are always shown: a short loop is not silent, and a log ends with the end.
        long now = _clock.GetTimestamp();
        if (value.Step >= _total || value.Step == _first + 1 || _clock.GetElapsedTime(_lastLine, now) >= Interval)
        {
            _lastLine = now;
            _line(Describe(value));
        }
    }

    /// <summary>"step 120/20000  loss 1.234  lr 1.2e-4  34.5 images/s  ETA 1 h 23 min".</summary>
    internal string Describe(in ProgressStatus status)
    {
        var parts = new List<string> { $"{_title} {status.Step}/{_total}" };
        if (!double.IsNaN(status.Loss) || !double.IsNaN(status.LearningRate))
        {
            parts.Add("loss " + status.Loss.ToString("G4", CultureInfo.InvariantCulture));
            parts.Add("lr " + status.LearningRate.ToString("0.###e-0", CultureInfo.InvariantCulture));
        }

        double seconds = _clock.GetElapsedTime(_started).TotalSeconds;
        int done = status.Step - _first;
        if (seconds > 0 && done > 0)
        {
            parts.Add((status.Images / seconds).ToString("G3", CultureInfo.InvariantCulture) + " images/s");
            parts.Add(status.Step >= _total ? "took " + TimeText.Span(seconds) : "ETA " + TimeText.Span(seconds / done * (_total - status.Step)));
        }

        return string.Join("  ", parts);
    }
}
