using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Ldvc.App.Cli;

/// <summary>A verb: one line of description for the list of verbs, and an example for its own help.</summary>
internal sealed class VerbCommand(
    string name, string description, string example, VerbProcesses processes = VerbProcesses.One) : Command(name, description)
{
    /// <summary>A command line that works.</summary>
    public string Example { get; } = example;

    /// <summary>How it runs under a launcher that started several processes.</summary>
    public VerbProcesses Processes { get; } = processes;
}

/// <summary>How a verb runs under a launcher that started several processes.</summary>
internal enum VerbProcesses
{
    /// <summary>Not at all: each process would do, and write, the same.</summary>
    One,

    /// <summary>They share the work; the verb has --dist.</summary>
    Several,

    /// <summary>Each by itself: it writes nothing that another one could write, too.</summary>
    Each,
}

/// <summary>The usual help, followed by the verb's example.</summary>
internal sealed class HelpWithExample : SynchronousCommandLineAction
{
    private readonly HelpAction _help = new();

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = _help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is VerbCommand verb)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            output.WriteLine($"  {verb.Example}");
        }

        return code;
    }
}
