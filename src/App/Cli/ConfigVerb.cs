using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc config` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ConfigOptions(string Config, string[] Sets, CommonOptions Common);

/// <summary>`ldvc config`: the resolved configuration as YAML, and as JSON with --json.</summary>
internal static class ConfigVerb
{
    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        var command = new VerbCommand(
            "config",
            "Checks a configuration file and prints it with all defaults and everything its base files give.",
            "ldvc config configs/voc/inductive.yaml --set train.batch=8",
            VerbProcesses.Each)
        {
            config,
            sets,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new ConfigOptions(
            OptionValue.RequiredPath(result, config),
            CommandParts.Read(result, sets),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The configuration is not as it must be.</exception>
    public static int Run(ConfigOptions options)
    {
        LdvcConfig config = ConfigLoader.Load(options.Config, options.Common.ApplySeed(options.Sets));
        options.Common.WriteJson(ConfigWriter.ToDictionary(config));
        options.Common.Out.Write(ConfigWriter.ToYaml(config));
        return 0;
    }
}
