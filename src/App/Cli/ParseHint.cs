using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Ldvc.Configuration;

namespace Ldvc.App.Cli;

/// <summary>One sentence about a command line that cannot be understood, with what was probably meant and where to read on.</summary>
internal static partial class ParseHint
{
    /// <summary>
    /// A sentence when a word of the command line has the form of an option and is none: it would become the value of the option before it, or a
    /// picture. A file that is really called so is one; a value that has to begin with a dash is written --option=-value.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="args">Its words.</param>
    public static string? UnknownOption(ParseResult result, IEnumerable<string> args)
    {
        Command command = result.CommandResult.Command;
        if (command.Parents.FirstOrDefault() is null)
        {
            return null;
        }

        Option[] options = [.. command.Options, .. result.RootCommandResult.Command.Options];
        HashSet<string> known = [.. options.SelectMany(Names)];
        IEnumerable<string> named = args.TakeWhile(word => word != "--").Where(word => word.StartsWith('-') && !Path.Exists(word))
            .Select(word => OptionForm().Match(word)).Where(form => form.Success).Select(form => form.Groups[1].Value);
        string? unknown = named.FirstOrDefault(name => !known.Contains(name));
        return unknown is null ? Forgotten(command, known, [.. args.TakeWhile(word => word != "--")])
            : $"there is no option {ConfigText.Quote(unknown)}{ConfigText.Suggest(unknown, Names(command))} (see: "
                + $"{result.RootCommandResult.Command.Name} {command.Name} --help)";
    }

    // The option after one whose value was forgotten would be its value, and do nothing.
    private static string? Forgotten(Command command, HashSet<string> known, string[] words)
    {
        HashSet<string> takers = [.. command.Options.Where(option => option.ValueType != typeof(bool)).SelectMany(Names)];
        int at = Enumerable.Range(0, Math.Max(0, words.Length - 1)).FirstOrDefault(
            i => takers.Contains(words[i]) && OptionForm().Match(words[i + 1]) is { Success: true } next && known.Contains(next.Groups[1].Value), -1);
        return at < 0 ? null
            : $"{words[at]}: expected a value, found the option {ConfigText.Quote(words[at + 1])} (a value that begins so is written "
                + $"{words[at]}={words[at + 1]})";
    }

    private static IEnumerable<string> Names(Option option) => option.Aliases.Append(option.Name);

    public static string Explain(ParseResult result)
    {
        Command command = result.CommandResult.Command;
        bool atRoot = command.Parents.FirstOrDefault() is null;
        string program = result.RootCommandResult.Command.Name, help = atRoot ? $"{program} --help" : $"{program} {command.Name} --help";

        // An unknown argument explains the other errors (a verb or file that then seems to be missing), so it is named first.
        if (result.UnmatchedTokens is [string unknown, ..])
        {
            bool isOption = unknown.StartsWith('-');

            // `ldvc help` and `ldvc version` are what other programs have.
            IEnumerable<string> known = isOption
                ? Names(command)
                : command.Subcommands.Select(verb => verb.Name).Concat(atRoot ? Names(command) : []);
            string what = isOption ? "there is no option" : atRoot ? "there is no verb" : "expected no further argument, found";
            return $"{what} {ConfigText.Quote(unknown)}{ConfigText.Suggest(unknown, known)} (see: {help})";
        }

        return $"{result.Errors[0].Message.TrimEnd('.')} (see: {help})";
    }

    private static IEnumerable<string> Names(Command command) => command.Options.Where(option => !option.Hidden).Select(option => option.Name);

    // Compiled with the program; one that never goes back would be built at every start, which takes a tenth of a second.
    [GeneratedRegex("^(--?[A-Za-z][A-Za-z0-9_-]*)([=:].*)?$", RegexOptions.Singleline)]
    private static partial Regex OptionForm();
}
