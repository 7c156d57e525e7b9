using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc segment`.</summary>
internal static class SegmentCommand
{
    public static Command Create(VerbHost host)
    {
        var images = new Argument<string[]>("IMAGE")
        {
            Description = "Image files (.jpg, .png, .webp).",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> checkpoint = CommandParts.Checkpoint();
        var classes = new Option<string>("--classes")
        {
            HelpName = "NAMES",
            Description = "Class names, separated by commas; any names, seen in training or not.",
            Required = true,
        };
        var background = new Option<string?>("--background")
        {
            HelpName = "T",
            Description = "Pixels whose best class has a probability below T (0 to 1) become background.",
        };
        var clip = new Option<string?>("--clip")
        {
            HelpName = "PATH",
            Description = "The CLIP the checkpoint was trained on, if it no longer lies where it was.",
        };
        Option<string> precision = CommandParts.Precision();
        Option<string> output = CommandParts.Out("DIR", "Folder for NAME.png (class indices, 255 = background), NAME.overlay.png and NAME.json.");
        var command = new VerbCommand(
            "segment",
            "Labels every pixel of your own images with your own class names.",
            "ldvc segment cat.jpg --checkpoint ldvc.safetensors --classes \"cat, grass, sky\" --out result")
        {
            images,
            checkpoint,
            classes,
            background,
            clip,
            precision,
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => SegmentVerb.Run(new SegmentOptions(
            OptionValue.Texts(images.Name, result.GetValue(images)),
            OptionValue.RequiredText(result, checkpoint),
            OptionValue.ClassNames(classes.Name, OptionValue.RequiredText(result, classes)),
            OptionValue.Number(result, background, 0, 1),
            OptionValue.Text(result, clip),
            OptionValue.Precision(result, precision),
            OptionValue.RequiredText(result, output),
            common.Read(result, host))));
        return command;
    }
}
