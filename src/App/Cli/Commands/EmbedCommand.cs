using System.CommandLine;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;
using Ldvc.Tensors;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc embed`.</summary>
internal static class EmbedCommand
{
    public static Command Create(VerbHost host)
    {
        Option<string> clip = CommandParts.Clip();
        var images = new Option<string[]>("--image")
        {
            HelpName = "F",
            Description = "Image files.",
            AllowMultipleArgumentsPerToken = true,
        };
        var texts = new Option<string[]>("--text")
        {
            HelpName = "T",
            Description = "Texts.",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string> output = CommandParts.Out("F", "The safetensors file to write: image_features and text_features, rows in the order given.");
        var command = new VerbCommand(
            "embed",
            "Writes CLIP's own L2-normalised features of images and texts.",
            "ldvc embed --clip clip-vit-b16 --image cat.jpg --text \"a photo of a cat\" --text \"a photo of a dog\" --out features.safetensors")
        {
            clip,
            images,
            texts,
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result =>
        {
            var options = new EmbedOptions(
                OptionValue.RequiredText(result, clip),
                OptionValue.Texts(images.Name, result.GetValue(images)),

                // An empty text is a legal input of the text encoder.
                result.GetValue(texts) ?? [],
                OptionValue.RequiredText(result, output),
                common.Read(result, host));
            return options.Images.Length + options.Texts.Length > 0
                ? EmbedVerb.Run(options)
                : throw new InputException("embed: expected at least one --image or --text, found none.");
        });
        return command;
    }
}
