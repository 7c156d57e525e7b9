using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc pretrain`.</summary>
internal static class PretrainCommand
{
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        Option<bool> resume = CommandParts.Resume();
        var command = new VerbCommand(
            "pretrain",
            "Trains a small CLIP on drawn scenes and captions, from nothing but this repository.",
            "ldvc pretrain configs/demo/pretrain.yaml")
        {
            config,
            sets,
            resume,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => PretrainVerb.Run(new PretrainOptions(
            OptionValue.RequiredText(result, config),
            CommandParts.Read(result, sets),
            result.GetValue(resume),
            common.Read(result, host))));
        return command;
    }
}
