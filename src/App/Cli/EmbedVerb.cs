using System.CommandLine;
using System.Text.Json;
using Ldvc.App.Terminal;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc embed` is told.</summary>
/// <param name="Clip">Folder or file of a CLIP.</param>
/// <param name="Images">Image files, in order.</param>
/// <param name="Texts">Texts, in order.</param>
/// <param name="Classes">Classes whose names and synonyms are encoded in templates instead; null = none.</param>
/// <param name="Templates">The templates.</param>
/// <param name="Truncate">Whether texts longer than the context are cut.</param>
/// <param name="Out">The safetensors file to write.</param>
/// <param name="Activation">The CLIP's activation; null = what its files say.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record EmbedOptions(
    string Clip,
    string[] Images,
    string[] Texts,
    ClassList? Classes,
    string[] Templates,
    bool Truncate,
    string Out,
    Kernels.Activation? Activation,
    CommonOptions Common);

/// <summary>`ldvc embed`: CLIP's own features of images and texts as a safetensors file.</summary>
internal static class EmbedVerb
{
    /// <summary>How the names of its tensors end.</summary>
    internal const string Features = "_features";

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Option<string> clip = CommandParts.Clip();
        Option<string> activation = CommandParts.Activation();
        var images = new Option<string[]>("--image")
        {
            HelpName = "F",
            Description = "Image files.",
            AllowMultipleArgumentsPerToken = true,
        };
        var texts = new Option<string[]>("--text")
        {
            HelpName = "T",
            Description = "Texts; one that looks like an option is written --text=--so.",
            AllowMultipleArgumentsPerToken = true,
        };
        var truncate = new Option<bool>("--truncate")
        {
            Description = "Cuts texts that are longer than the CLIP's context; without it they are an "
            + "error."
        };
        Option<string[]> templates = CommandParts.Template(
            "With --classes or --classes-file: a sentence with {class} in it, or imagenet-80; several are averaged. Default: a photo of a {class}.");
        var classes = new ClassOptions();
        Option<string> output = CommandParts.Out("F", "The safetensors file to write: image_features and text_features, rows in the order given.");
        var command = new VerbCommand(
            "embed",
            "Writes CLIP's own L2-normalised features of images and texts.",
            "ldvc embed --clip clip-vit-b16 --image cat.jpg --text \"a photo of a cat\" --text \"a photo of a dog\" --out features.safetensors")
        {
            clip,
            activation,
            images,
            texts,
            truncate,
            templates,
            output,
        };
        classes.AddTo(command);
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result =>
        {
            var options = new EmbedOptions(
                OptionValue.RequiredPath(result, clip),
                [.. OptionValue.Texts(images.Name, result.GetValue(images)).Select(image => PathText.Expand(image, images.Name))],

                // An empty text is a legal input of the text encoder.
                OptionValue.Words(texts.Name, result.GetValue(texts) ?? []),
                classes.Read(result),
                TextTemplates.Checked(
                    result.GetValue(templates) is { Length: > 0 } given ? OptionValue.Utf8(templates.Name, given) : new ModelConfig().Template,
                    templates.Name),
                result.GetValue(truncate),
                OptionValue.RequiredPath(result, output),
                OptionValue.Activation(result, activation),
                common.Read(result, host));
            if (options.Classes is not null ? options.Texts.Length > 0 || options.Truncate : result.GetValue(templates) is { Length: > 0 })
            {
                throw new InputException(
                    "embed: expected --text with perhaps --truncate, or class names with perhaps --template, found parts of both.");
            }

            return options.Images.Length + options.Texts.Length > 0 || options.Classes is not null
                ? Run(options)
                : throw new InputException("embed: expected at least one --image or --text, found none.");
        });
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The CLIP, its tokenizer or an image cannot be read, a text is too long, or the file cannot be
    /// written.</exception>
    public static int Run(EmbedOptions options)
    {
        CheckBeforehand(options);
        using Device device = options.Common.OpenDevice();
        ClipTowers towers = (options.Images.Length > 0 ? ClipTowers.Vision : 0) | (options.Texts.Length > 0
            || options.Classes is not null ? ClipTowers.Text : 0);
        using var clip = ClipEmbedder.Load(options.Clip, device, options.Activation, towers);
        var writer = new SafetensorsWriter();

        // Texts first: they take no time, and a missing tokenizer is then known before many pictures have been read.
        string[] names = options.Classes?.Texts ?? options.Texts;
        Add(writer, "text", names, clip.Width, texts => options.Classes is not null
            ? clip.EmbedClasses(texts, options.Templates, options.Common.Cancellation)
            : clip.EmbedTexts(texts, options.Truncate, options.Common.Cancellation));
        Add(writer, "image", options.Images, clip.Width, images => clip.EmbedImages(images, options.Common.Cancellation));
        options.Common.Cancellation.ThrowIfCancellationRequested();
        writer.Save(options.Out);
        options.Common.Note(clip.Note);
        options.Common.WriteJson(new { options.Clip, options.Images, Texts = names, clip.Width, options.Out });
        options.Common.Out.WriteLine(
            $"{options.Out}: features of {options.Images.Length} images and {names.Length} texts, {clip.Width} values each.");
        return 0;
    }

    private static void Add(SafetensorsWriter writer, string kind, string[] inputs, int width, Func<string[], float[]> embed)
    {
        if (inputs.Length > 0)
        {
            writer.AddFloat32(kind + Features, [inputs.Length, width], embed(inputs));
            writer.SetMetadata($"{kind}s", JsonSerializer.Serialize(inputs, JsonText.Plain));
        }
    }

    // What can be seen at once is said before the weights are loaded.
    private static void CheckBeforehand(EmbedOptions options)
    {
        if (options.Images.Any(file => !File.Exists(file)))
        {
            // The damaged ones, too: whoever mends a batch wants to hear of it once.
            PictureFailures.RefuseBad(
                options.Images,
                file => File.Exists(file) ? ImageReader.Read(file)
                    : throw new InputException(
                        $"{file}: expected an image file, but {(Directory.Exists(file) ? "it is a folder" : "there is none")}."),
                options.Common.Cancellation);
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(options.Out))!;
        if (!Directory.Exists(folder))
        {
            throw new InputException($"{options.Out}: the folder {folder} does not exist.");
        }

        OptionValue.RefuseOtherFormat("--out", options.Out);
        AtomicFiles.Probe(options.Out);
    }
}
