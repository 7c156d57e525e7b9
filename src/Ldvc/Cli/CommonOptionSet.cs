using System.CommandLine;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Cli;

/// <summary>The options every verb has. Values are read as text and checked here, so that messages say what is expected.</summary>
internal sealed class CommonOptionSet
{
    internal const string VerboseName = "--verbose";
    private const int MostThreads = 1024;

    private readonly Option<string> _device = new("--device")
    {
        HelpName = "D",
        Description = "Where to compute: cpu | cuda[:i] | opencl[:i] | simulator (for tests: very slow). `ldvc doctor` lists what there is.",
        DefaultValueFactory = _ => "cpu",
    };

    private readonly Option<string> _threads = new("--threads")
    {
        HelpName = "N",
        Description = "CPU threads; 0 = one per core.",
        DefaultValueFactory = _ => "0",
    };

    private readonly Option<string?> _seed = new("--seed")
    {
        HelpName = "N",
        Description = "Seed of all random numbers; overrides the configuration's.",
    };

    private readonly Option<string?> _json = new("--json")
    {
        HelpName = "FILE",
        Description = "Also writes the results to FILE as JSON.",
    };

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
            (int)OptionValue.WholeNumber(result, _threads, 0, MostThreads),
            OptionValue.OptionalWholeNumber(result, _seed, 0, long.MaxValue),
            JsonFile(OptionValue.Text(result, _json)));
    }

    // Looked at now: results that took hours should not find out at the end that they cannot be written.
    private static string? JsonFile(string? path)
    {
        if (path is not null && (Directory.Exists(path) || !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))))
        {
            throw new InputException($"--json: expected a file in a folder that exists, found {ConfigText.Quote(path)}.");
        }

        return path;
    }
}
