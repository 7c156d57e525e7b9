using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ldvc.App.Cli;

/// <summary>
/// What the command lines of a job's processes must have in common. Each process has its own: a launcher may start several, and files of a node stand
/// behind some options. Verbs that differ wait for one another for ever, and options that differ make results of two kinds in one folder.
/// </summary>
internal static class CommandFacts
{
    // Of the node, or compared by what comes of them: configurations key by key, names as a list, a CLIP by its weights.
    private static readonly string[] s_own =
    [
        "--threads", "--device", CommonOptionSet.DistName, CommonOptionSet.VerboseName, "--seed", "--set", "--classes", "--classes-file", "--clip",
    ];

    // Files of the node that may have another name there.
    private static readonly string[] s_places = ["--checkpoint", "--out", "--json", "--report", "--record"];

    /// <summary>Names and values of a command line that was read without errors.</summary>
    /// <param name="result">The command line.</param>
    internal static IReadOnlyList<(string Name, string Value)> Of(ParseResult result)
    {
        Command verb = result.CommandResult.Command;
        return
        [
            ("the verb", verb.Name),
            .. verb.Options.Where(option => !s_own.Contains(option.Name)).Select(option => (option.Name, Value(option, result.GetResult(option)))),
        ];
    }

    private static string Value(Option option, OptionResult? result) =>
        result is not { Implicit: false } ? "not given"
        : result.Tokens.Count == 0 || s_places.Contains(option.Name) ? "given"
        : string.Join(' ', result.Tokens.Select(token => token.Value));
}
