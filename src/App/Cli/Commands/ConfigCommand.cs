using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc config`.</summary>
internal static class ConfigCommand
{
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        var command = new VerbCommand(
            "config",
            "Checks a configuration file and prints it with all defaults and everything its base files give.",
            "ldvc config configs/voc/inductive.yaml --set train.batch=8")
        {
            config,
            sets,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => ConfigVerb.Run(new ConfigOptions(
            OptionValue.RequiredText(result, config),
            CommandParts.Read(result, sets),
            common.Read(result, host))));
        return command;
    }
}
