using System.CommandLine;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>--classes and --classes-file: the same list of classes, typed or from a file.</summary>
internal sealed class ClassOptions
{
    private const string NamesOption = "--classes", FileOption = "--classes-file";

    private readonly Option<string?> _names = new(NamesOption)
    {
        HelpName = "NAMES",
        Description = "Class names, separated by commas; any names, seen in training or not. Synonyms are separated by semicolons: \"cat, person; "
            + "man; woman\".",
    };

    private readonly Option<string?> _file = new(FileOption)
    {
        HelpName = "F",
        Description = "The same from a file in UTF-8, one class a line with its synonyms behind semicolons; a comma belongs to the name, # starts a "
            + "comment.",
    };

    /// <summary>Adds both to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_names);
        command.Options.Add(_file);
    }

    /// <summary>The classes; null when neither option was given.</summary>
    /// <exception cref="InputException">Both were, or the list is not as it must be.</exception>
    public ClassList? Read(ParseResult result)
    {
        string? names = OptionValue.Text(result, _names), file = OptionValue.Path(result, _file);
        return (names, file) switch
        {
            (null, null) => null,
            (_, null) => FromLine(names, _names.Name),
            (null, _) => ClassList.FromFile(file),
            _ => throw new InputException($"{_names.Name} and {_file.Name}: expected one of the two, found both."),
        };
    }

    /// <summary>Classes on one line of an option. A file's name in the place of names would be a class that is called so.</summary>
    /// <exception cref="InputException">It is one, or as for a list of names.</exception>
    public static ClassList FromLine(string text, string option)
    {
        // As argparse and curl have it.
        string file = text.Trim().TrimStart('@');
        if (OptionValue.IsFile(file) || file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
        {
            throw new InputException($"{option}: expected names, found what looks like a file, {ConfigText.Quote(text.Trim())}"
                + (option == NamesOption ? $"; a list in a file is for {FileOption}." : "."));
        }

        return ClassList.FromLine(text, option);
    }

    /// <summary>The classes of a verb that cannot do without.</summary>
    /// <exception cref="InputException">As for <see cref="Read"/>, or neither option was given.</exception>
    public ClassList Require(ParseResult result) =>
        Read(result) ?? throw new InputException(
            $"{result.CommandResult.Command.Name}: expected {_names.Name} NAMES or {_file.Name} F, found neither.");
}
