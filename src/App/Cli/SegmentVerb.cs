using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc segment` is told.</summary>
/// <param name="Images">Image files.</param>
/// <param name="Checkpoint">An LDVC checkpoint; null = a CLIP alone.</param>
/// <param name="Classes">Classes with their synonyms; their order gives the indices.</param>
/// <param name="Background">Pixels whose best probability lies below this become background (255); null = none do.</param>
/// <param name="Clip">Folder or file of the CLIP; null = where the checkpoint says that the one it was trained on lies.</param>
/// <param name="TrainingFree">How a CLIP alone segments, and its activation; null with a checkpoint.</param>
/// <param name="Precision">Precision of the products.</param>
/// <param name="Out">Folder of the results.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record SegmentOptions(
    string[] Images,
    string? Checkpoint,
    ClassList Classes,
    double? Background,
    string? Clip,
    (TrainingFreeConfig Config, ClipActivation Activation)? TrainingFree,
    Precision Precision,
    string Out,
    CommonOptions Common);

/// <summary>`ldvc segment`: any pictures, any class names (method.md 9).</summary>
internal static class SegmentVerb
{
    private const int ClassesShown = 3;

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        var images = new Argument<string[]>("IMAGE")
        {
            Description = "Image files (.jpg, .png, .webp).",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> checkpoint = CommandParts.Checkpoint("--clip alone segments");
        var classes = new ClassOptions();
        var background = new Option<string?>("--background")
        {
            HelpName = "T",
            Description = "Pixels whose best class has a probability below T (0 to 1) become background.",
        };
        var clip = new Option<string?>("--clip")
        {
            HelpName = "PATH",
            Description = "The CLIP the checkpoint was trained on, if it has moved; or the CLIP that is to segment without a checkpoint.",
        };
        Option<string> precision = CommandParts.Precision();
        Option<string> output = CommandParts.Out(
            "DIR", "Folder for NAME.png (class indices, 255 = background; more than 255 classes: 16 bits, 65535), NAME.overlay.png and NAME.json.");
        var command = new VerbCommand(
            "segment",
            "Labels every pixel of your own images with your own class names.",
            "ldvc segment cat.jpg --clip clip-vit-base-patch16 --classes \"cat, grass, sky\" --out result")
        {
            images,
            checkpoint,
            background,
            clip,
            precision,
            output,
        };
        classes.AddTo(command);
        var free = new TrainingFreeOptions();
        free.AddTo(command);
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new SegmentOptions(
            OptionValue.Texts(images.Name, result.GetValue(images)),
            OptionValue.Text(result, checkpoint),
            classes.Require(result),
            OptionValue.Number(result, background, 0, 1),
            OptionValue.Text(result, clip),
            free.Read(result, trained: result.GetValue(checkpoint) is not null),
            OptionValue.Precision(result, precision),
            OptionValue.RequiredText(result, output),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">Bad input; when it is one of several pictures, the results of the others have been written.</exception>
    public static int Run(SegmentOptions options)
    {
        if (options.Checkpoint is null && options.Clip is null)
        {
            throw new InputException("segment: expected --checkpoint F, or --clip PATH for a CLIP alone, found neither.");
        }

        RefuseSameFiles(options.Images, options.Out);
        CommonOptions common = options.Common;
        using LdvcCheckpoint? checkpoint = options.Checkpoint is { } file ? LdvcCheckpoint.Open(file) : null;
        using Device device = common.OpenDevice(options.Precision);
        using SegmentationModel model = Load(checkpoint, device, options);
        using Segmenter segmenter = model.CreateSegmenter(options.Classes);
        OutputFolder.Create(options.Out);

        var results = new List<object>();
        var failures = new List<InputException>();
        foreach (string image in options.Images)
        {
            common.Cancellation.ThrowIfCancellationRequested();
            long started = Stopwatch.GetTimestamp();
            RgbImage picture;
            try
            {
                picture = ImageReader.Read(image);
            }
            catch (InputException e)
            {
                failures.Add(e);
                continue;
            }

            SegmentResult result = segmenter.Label(picture, image, options.Background);
            result.Write(options.Out);
            results.Add(result.ToJson());
            string seconds = Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("F2", CultureInfo.InvariantCulture);
            common.Out.WriteLine($"{image}  {picture.Width}x{picture.Height}  {seconds} s  {result.Describe(ClassesShown)}");
        }

        common.WriteJson(results);
        return failures.Count == 0 ? 0 : throw Failure(failures, options);
    }

    private static SegmentationModel Load(LdvcCheckpoint? checkpoint, Device device, SegmentOptions options)
    {
        if (checkpoint is not null)
        {
            return SegmentationModel.Trained(checkpoint, device, options.Clip);
        }

        var (config, activation) = options.TrainingFree!.Value;
        return SegmentationModel.OfClip(new ClipConfig { Path = options.Clip, Activation = activation }, device, config, new EvalConfig());
    }

    // Results that would lie in one place, or in the place of an input, are refused before anything is computed. Names that differ in case alone are
    // one file on some systems.
    private static void RefuseSameFiles(string[] images, string folder)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string image in images)
        {
            foreach (string file in SegmentResult.FilesOf(image, folder))
            {
                if (!owners.TryAdd(file, image))
                {
                    throw new InputException($"{image}: its result {file} would also be that of {owners[file]}; expected images with different names, or a different --out for each.");
                }
            }
        }

        var inputs = images.Select(Path.GetFullPath).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (owners.Keys.FirstOrDefault(file => inputs.Contains(Path.GetFullPath(file))) is { } overwritten)
        {
            throw new InputException($"--out: the result {overwritten} would replace an image that was given; expected another folder.");
        }
    }

    private static InputException Failure(List<InputException> failures, SegmentOptions options)
    {
        string others = failures.Count == 1 ? "" : $" (and {failures.Count - 1} more of the {options.Images.Length} images)";
        return new InputException(failures[0].Message + others, failures[0]);
    }
}
