using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc eval`.</summary>
internal static class EvalCommand
{
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string> checkpoint = CommandParts.Checkpoint();
        Option<string[]> sets = CommandParts.Sets();
        Option<string> precision = CommandParts.Precision();
        var command = new VerbCommand(
            "eval",
            "Scores a checkpoint on the validation images: mIoU of seen and unseen classes, their harmonic mean, pixel accuracy.",
            "ldvc eval configs/voc/inductive.yaml --checkpoint runs/voc-inductive/checkpoints/ckpt-00020000.safetensors")
        {
            config,
            checkpoint,
            sets,
            precision,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => EvalVerb.Run(new EvalOptions(
            OptionValue.RequiredText(result, config),
            OptionValue.RequiredText(result, checkpoint),
            CommandParts.Read(result, sets),
            OptionValue.Precision(result, precision),
            common.Read(result, host))));
        return command;
    }
}
