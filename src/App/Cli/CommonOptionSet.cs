using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>
/// The options every verb has, and --dist of those that run in several processes. Values are read as text and checked here, so that messages say what
/// is expected.
/// </summary>
internal sealed class CommonOptionSet
{
    internal const string VerboseName = "--verbose";

    /// <summary>The option of verbs that run in several processes.</summary>
    internal const string DistName = "--dist";

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

    private readonly Option<string> _dist = new(DistName)
    {
        HelpName = "D",
        Description = "How the processes that mpirun or srun started work together: auto (what the launcher's environment says) | none (this process "
            + "alone) "
            + "| mpi | nccl (between CUDA devices); docs/distributed.md.",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<bool> _verbose = new(VerboseName)
    {
        Description = "Shows where an error comes from.",
    };

    private CommonOptionSet()
    {
    }

    /// <summary>Adds the common options to a verb; call it after the verb's own, so that they come last in its help.</summary>
    public static CommonOptionSet AddTo(VerbCommand command)
    {
        var set = new CommonOptionSet();
        command.Add(set._device);
        command.Add(set._threads);
        command.Add(set._seed);
        command.Add(set._json);
        if (command.Processes == VerbProcesses.Several)
        {
            command.Add(set._dist);
        }

        command.Add(set._verbose);
        return set;
    }

    /// <summary>The values given.</summary>
    /// <exception cref="InputException">A value is not as it must be.</exception>
    public CommonOptions Read(ParseResult result, VerbHost host)
    {
        OutputPlaces.Check(result);
        return new CommonOptions(
            host,
            DeviceChoice.Parse(result.GetValue(_device) ?? ""),
            OptionValue.Threads(result, _threads),
            OptionValue.OptionalWholeNumber(result, _seed, 0, long.MaxValue),
            OptionValue.OutputFile(result, _json));
    }
}
