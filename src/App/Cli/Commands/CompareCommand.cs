using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc compare`.</summary>
internal static class CompareCommand
{
    public static Command Create(VerbHost host)
    {
        Option<string> clip = CommandParts.Clip();
        var reference = new Option<string>("--reference")
        {
            HelpName = "F",
            Description = "A safetensors file with inputs and expected values; tools/ has the script that writes such files.",
            Required = true,
        };
        var tolerance = new Option<string?>("--tolerance")
        {
            HelpName = "X",
            Description = "Largest relative error of activations, logits and loss. Default: 2e-5, gradients 10 X; with tf32 3e-3, with bf16 5e-3, gradients 4 X (docs/compare.md).",
        };
        Option<string> precision = CommandParts.Precision();
        var command = new VerbCommand(
            "compare",
            "Recomputes what a reference file holds, prints the largest absolute and relative error of every tensor; exit code 0 within the tolerance, else 1.",
            "ldvc compare --clip clip-vit-b16 --reference clip-vit-b16-reference.safetensors")
        {
            clip,
            reference,
            tolerance,
            precision,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => CompareVerb.Run(new CompareOptions(
            OptionValue.RequiredText(result, clip),
            OptionValue.RequiredText(result, reference),
            OptionValue.Number(result, tolerance, 0, double.PositiveInfinity),
            OptionValue.Precision(result, precision),
            common.Read(result, host))));
        return command;
    }
}
