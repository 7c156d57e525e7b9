using System.CommandLine;
using Ldvc.Data;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>--classes and --classes-file: the same list of classes, typed or from a file.</summary>
internal sealed class ClassOptions
{
    private readonly Option<string?> _names = new("--classes")
    {
        HelpName = "NAMES",
        Description = "Class names, separated by commas; any names, seen in training or not. Synonyms are separated by semicolons: \"cat, person; "
            + "man; woman\".",
    };

    private readonly Option<string?> _file = new("--classes-file")
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
            (_, null) => ClassList.FromLine(names, _names.Name),
            (null, _) => ClassList.FromFile(file),
            _ => throw new InputException($"{_names.Name} and {_file.Name}: expected one of the two, found both."),
        };
    }

    /// <summary>The classes of a verb that cannot do without.</summary>
    /// <exception cref="InputException">As for <see cref="Read"/>, or neither option was given.</exception>
    public ClassList Require(ParseResult result) =>
        Read(result) ?? throw new InputException(
            $"{result.CommandResult.Command.Name}: expected {_names.Name} NAMES or {_file.Name} F, found neither.");
}
