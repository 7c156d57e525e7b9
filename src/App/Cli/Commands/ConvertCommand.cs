using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc convert`.</summary>
internal static class ConvertCommand
{
    public static Command Create(VerbHost host)
    {
        Option<string> clip = CommandParts.Clip();
        Option<string> output = CommandParts.Out("DIR", "The folder to write.");
        var command = new VerbCommand(
            "convert",
            "Rewrites any readable CLIP as a Hugging Face folder with safetensors.",
            "ldvc convert --clip ViT-B-16.pt --out clip-vit-b16")
        {
            clip,
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => ConvertVerb.Run(new ConvertOptions(
            OptionValue.RequiredText(result, clip),
            OptionValue.RequiredText(result, output),
            common.Read(result, host))));
        return command;
    }
}
