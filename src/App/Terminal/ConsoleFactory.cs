using Spectre.Console;

namespace Ldvc.App.Terminal;

/// <summary>Spectre consoles that leave redirected output free of control sequences and line breaks of their own.</summary>
internal static class ConsoleFactory
{
    // Wide enough that no table row or path is broken when the output is not a terminal.
    private const int PlainWidth = 400;

    /// <summary>
    /// Whether bars can move on the standard output: it is a terminal, and TERM names one that is known to obey control sequences. On any other the
    /// bars would be a word now and then, without losses and rates: it gets lines, as a log file does.
    /// </summary>
    public static bool IsInteractive() => !Console.IsOutputRedirected && Create(Console.Out, interactive: true).Profile.Capabilities.Ansi;

    /// <summary>A console on a writer.</summary>
    public static IAnsiConsole Create(TextWriter output, bool interactive)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output is CleanWriter clean ? clean.Raw : output),
            Ansi = interactive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = interactive ? InteractionSupport.Detect : InteractionSupport.No,
        });
        console.Pipeline.Attach(new CleanHook());
        if (!interactive)
        {
            console.Profile.Width = PlainWidth;
            console.Profile.Capabilities.Unicode = false;
        }

        return console;
    }

    /// <summary>
    /// Writes a line above the bars that a console draws. Spectre goes back to the first bar and writes over it without erasing: spaces do that for
    /// what a short line leaves of a bar.
    /// </summary>
    public static void WriteAbove(IAnsiConsole console, string text) =>
        console.WriteLine(TerminalText.Clean(text).PadRight(console.Profile.Width - 1));
}
