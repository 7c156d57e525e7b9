using Spectre.Console;

namespace Ldvc.App.Terminal;

/// <summary>What surrounds a command line: where it writes, whether that is a terminal, and whether it has been told to stop.</summary>
internal sealed record VerbHost(TextWriter Output, TextWriter Error, bool Interactive, CancellationToken Cancellation)
{
    /// <summary>Where loops that run at the same time put their bars, so that they stand below each other; null when a loop draws alone.</summary>
    internal ProgressBoard? Board { get; init; }
}

/// <summary>A terminal on which several bars stand below each other; lines written to the console go above them.</summary>
/// <param name="Console">The terminal.</param>
/// <param name="Bars">Its bars.</param>
/// <param name="Mark">Prefix of the title of every bar.</param>
internal sealed record ProgressBoard(IAnsiConsole Console, ProgressContext Bars, string Mark = "");
