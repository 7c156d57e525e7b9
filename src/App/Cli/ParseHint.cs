using System.CommandLine;
using System.CommandLine.Parsing;
using Ldvc.Configuration;

namespace Ldvc.App.Cli;

/// <summary>One sentence about a command line that cannot be understood, with what was probably meant and where to read on.</summary>
internal static class ParseHint
{
    public static string Explain(ParseResult result)
    {
        Command command = result.CommandResult.Command;
        bool atRoot = command.Parents.FirstOrDefault() is null;
        string program = result.RootCommandResult.Command.Name, help = atRoot ? $"{program} --help" : $"{program} {command.Name} --help";

        // An unknown argument explains the other errors (a verb or file that then seems to be missing), so it is named first.
        if (result.UnmatchedTokens is [string unknown, ..])
        {
            bool isOption = unknown.StartsWith('-');
            IEnumerable<string> known = isOption
                ? command.Options.Where(option => !option.Hidden).Select(option => option.Name)
                : command.Subcommands.Select(verb => verb.Name);
            string what = isOption ? "there is no option" : atRoot ? "there is no verb" : "expected no further argument, found";
            return $"{what} {ConfigText.Quote(unknown)}{ConfigText.Suggest(unknown, known)} (see: {help})";
        }

        return $"{result.Errors[0].Message.TrimEnd('.')} (see: {help})";
    }
}
