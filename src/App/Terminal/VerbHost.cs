using Spectre.Console;

namespace Ldvc.App.Terminal;

/// <summary>What surrounds a command line: where it writes, whether that is a terminal, and whether it has been told to stop.</summary>
/// <param name="Output">Results and progress; nothing in processes that another one speaks for.</param>
/// <param name="Error">Warnings, and one line when something is wrong.</param>
/// <param name="Interactive">Whether the output is a terminal.</param>
/// <param name="Cancellation">Set by Ctrl-C and SIGTERM.</param>
internal sealed record VerbHost(TextWriter Output, TextWriter Error, bool Interactive, CancellationToken Cancellation)
{
    /// <summary>Results and progress; nothing in processes that another one speaks for.</summary>
    public TextWriter Output { get => Job.Group.Rank == 0 ? field : TextWriter.Null; init; } = Output;

    /// <summary>The command line, without the program's name.</summary>
    internal IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The ledger's folder; null = results/ of the repository, or of the folder that the program is called in.</summary>
    internal string? Results { get; init; }

    /// <summary>The processes that run the command line together.</summary>
    internal Job Job { get; init; } = new();

    /// <summary>Where loops that run at the same time put their bars, so that they stand below each other; null when a loop draws alone.</summary>
    internal ProgressBoard? Board { get; init; }
}

/// <summary>A terminal on which several bars stand below each other; lines written to the console go above them.</summary>
/// <param name="Console">The terminal.</param>
/// <param name="Bars">Its bars.</param>
/// <param name="Mark">Prefix of the title of every bar.</param>
internal sealed record ProgressBoard(IAnsiConsole Console, ProgressContext Bars, string Mark = "");
