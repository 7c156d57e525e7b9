using Spectre.Console;

namespace Ldvc.Cli;

/// <summary>Spectre consoles that leave redirected output free of control sequences and line breaks of their own.</summary>
internal static class ConsoleFactory
{
    // Wide enough that no table row or path is broken when nobody watches.
    private const int PlainWidth = 400;

    /// <summary>A console on a writer.</summary>
    public static IAnsiConsole Create(TextWriter output, bool interactive)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = interactive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = interactive ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!interactive)
        {
            console.Profile.Width = PlainWidth;
            console.Profile.Capabilities.Unicode = false;
        }

        return console;
    }
}
