namespace Ldvc.Cli;

/// <summary>What surrounds a command line: where it writes, whether a person watches, and whether it has been told to stop.</summary>
internal sealed record VerbHost(TextWriter Output, TextWriter Error, bool Interactive, CancellationToken Cancellation);
