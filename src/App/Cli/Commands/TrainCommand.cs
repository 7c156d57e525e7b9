using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc train`.</summary>
internal static class TrainCommand
{
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string[]> sets = CommandParts.Sets();
        Option<bool> resume = CommandParts.Resume();
        var command = new VerbCommand(
            "train",
            "Trains LDVC on a data set. The run lives in one folder (train.out); --resume continues it from its last checkpoint.",
            "ldvc train configs/voc/inductive.yaml --set clip.path=clip-vit-b16 --set data.root=VOCdevkit/VOC2012")
        {
            config,
            sets,
            resume,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => TrainVerb.Run(new TrainOptions(
            OptionValue.RequiredText(result, config),
            CommandParts.Read(result, sets),
            result.GetValue(resume),
            common.Read(result, host))));
        return command;
    }
}
