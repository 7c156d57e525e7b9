using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>The options every verb has. Values are read as text and checked here, so that messages say what is expected.</summary>
internal sealed class CommonOptionSet
{
    internal const string VerboseName = "--verbose";

    private readonly Option<string> _device = new("--device")
    {
        HelpName = "D",
        Description = "Where to compute: cpu | cuda[:i] | opencl[:i] | simulator (for tests: very slow). `ldvc doctor` lists what there is.",
        DefaultValueFactory = _ => "cpu",
    };

    private readonly Option<string> _threads = CommandParts.Threads(0);

    private readonly Option<string?> _seed = new("--seed")
    {
        HelpName = "N",
        Description = "Seed of all random numbers; overrides the configuration's.",
    };

    private readonly Option<string?> _json = CommandParts.Json();

    private readonly Option<bool> _verbose = new(VerboseName)
    {
        Description = "Shows where an error comes from.",
    };

    private CommonOptionSet()
    {
    }

    /// <summary>Adds the common options to a verb; call it after the verb's own, so that they come last in its help.</summary>
    public static CommonOptionSet AddTo(Command command)
    {
        var set = new CommonOptionSet();
        command.Add(set._device);
        command.Add(set._threads);
        command.Add(set._seed);
        command.Add(set._json);
        command.Add(set._verbose);
        return set;
    }

    /// <summary>The values given.</summary>
    /// <exception cref="InputException">A value is not as it must be.</exception>
    public CommonOptions Read(ParseResult result, VerbHost host)
    {
        return new CommonOptions(
            host,
            DeviceChoice.Parse(result.GetValue(_device) ?? ""),
            OptionValue.Threads(result, _threads),
            OptionValue.OptionalWholeNumber(result, _seed, 0, long.MaxValue),
            OptionValue.OutputFile(result, _json));
    }
}
