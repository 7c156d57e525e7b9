using Ldvc.Bench.Compare.Ours;

namespace Ldvc.Bench.Compare;

/// <summary>An engine that takes part: how to start it, or how to get it.</summary>
/// <param name="Name">As in <see cref="PeerCase.Engines"/>.</param>
/// <param name="Version">What was found.</param>
/// <param name="Missing">Why it cannot run and what to do; null when it can.</param>
/// <param name="Environment">Variables of the child process.</param>
internal sealed record PeerEngine(string Name, string Version, string? Missing, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The program.</summary>
    internal string File { get; init; } = System.Environment.ProcessPath!;

    /// <summary>Its first arguments; the case's come after them.</summary>
    internal string[] First { get; init; } = [];

    internal (string File, string[] Arguments) Command(
        PeerCase @case, string folder, WorkDevice on) => Name is PeerCases.Torch or PeerCases.TorchCompile
        ? (File, [.. First, @case.Kind, folder, on.Threads.ToString(), on.Name, on.Precision.ToString().ToLowerInvariant(), Name,
            .. @case.Sizes.Select(s => $"{s.Key}={s.Value}")])
        : (File, [.. First, Name, @case.Name, folder, on.Threads.ToString(), on.Name, on.Precision.ToString()]);
}
