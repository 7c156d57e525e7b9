using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc segment` is told.</summary>
/// <param name="Images">Image files, folders and patterns.</param>
/// <param name="Checkpoint">An LDVC checkpoint or a run's folder; null = a CLIP alone.</param>
/// <param name="Classes">Classes with their synonyms; their order gives the indices. Those to be ignored stand last.</param>
/// <param name="Ignored">Number of classes that are computed and then count as no label.</param>
/// <param name="Background">Pixels whose best probability lies below this become background (255); null = none do.</param>
/// <param name="Clip">Folder or file of the CLIP; null = where the checkpoint says that the one it was trained on lies.</param>
/// <param name="TrainingFree">How a CLIP alone segments, and its activation; null with a checkpoint.</param>
/// <param name="Windows">--size, --window, --stride, --penalty, --batch.</param>
/// <param name="Save">What is written besides labels and numbers.</param>
/// <param name="SkipExisting">Whether pictures are left out whose results are there.</param>
/// <param name="Precision">Precision of the products.</param>
/// <param name="Out">Folder of the results.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record SegmentOptions(
    string[] Images,
    string? Checkpoint,
    ClassList Classes,
    int Ignored,
    double? Background,
    string? Clip,
    (TrainingFreeConfig Config, ClipActivation Activation)? TrainingFree,
    WindowOptions Windows,
    SegmentParts Save,
    bool SkipExisting,
    Precision Precision,
    string Out,
    CommonOptions Common);

/// <summary>`ldvc segment`: any pictures, any class names (method.md 9).</summary>
internal static class SegmentVerb
{
    private const int ClassesShown = 3;
    private const int FailuresShown = 10;

    // Pictures of few windows are computed together.
    private const int Together = 8;
    private const int ManyWindows = 16;
    private static readonly TimeSpan WindowsEvery = TimeSpan.FromSeconds(5);

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        var images = new Argument<string[]>("IMAGE")
        {
            Description = "Image files (.jpg, .png, .webp, ...), folders (with their sub-folders) or patterns (\"photos/**/*.jpg\").",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> checkpoint = CommandParts.Checkpoint("--clip alone segments");
        var classes = new ClassOptions();
        var ignore = new Option<string?>("--ignore-classes")
        {
            HelpName = "NAMES",
            Description = "More names that pixels may look like; those pixels get no label.",
        };
        var background = new Option<string?>("--background")
        {
            HelpName = "T",
            Description = "Pixels whose best class has a probability below T (0 to 1) become background; 0 = none. Default: the checkpoint's "
                + "eval.background.",
        };
        var clip = new Option<string?>("--clip")
        {
            HelpName = "PATH",
            Description = "The CLIP the checkpoint was trained on, if it has moved; or the CLIP that is to segment without a checkpoint.",
        };
        var save = new Option<string?>("--save")
        {
            HelpName = "PARTS",
            Description = "What is written besides NAME.png and NAME.json, separated by commas: overlay | plain (the overlay without its legend) | "
                + "masks (one black and white PNG a class) | "
                + "probabilities (safetensors) | coco (coco.json with all masks) | none.",
            DefaultValueFactory = _ => "overlay",
        };
        var skip = new Option<bool>("--skip-existing")
        {
            Description = "Leaves out pictures whose results, of the same model, classes and options, are in the folder.",
        };
        var windows = new WindowOptionSet();
        Option<string> precision = CommandParts.Precision();
        Option<string> output = CommandParts.Out(
            "DIR", "Folder for NAME.png (class indices, 255 = background; more than 255 classes: 16 bits, 65535), NAME.overlay.png and NAME.json; "
                + "sub-folders as in the input.");
        var command = new VerbCommand(
            "segment",
            "Labels every pixel of your own images with your own class names.",
            "ldvc segment cat.jpg --clip clip-vit-base-patch16 --classes \"cat, grass, sky\" --out result",
            VerbProcesses.Several)
        {
            images,
            checkpoint,
            background,
            clip,
            precision,
            save,
            skip,
            output,
        };
        classes.AddTo(command);
        command.Options.Add(ignore);
        windows.AddTo(command);
        var free = new TrainingFreeOptions();
        free.AddTo(command);
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result =>
        {
            ClassList named = classes.Require(result);
            ClassList? ignored = OptionValue.Text(result, ignore) is { } text ? ClassOptions.FromLine(text, ignore.Name) : null;
            return Run(new SegmentOptions(
                [.. OptionValue.Texts(images.Name, result.GetValue(images)).Select(image => PathText.Expand(image, images.Name))],
                OptionValue.Path(result, checkpoint),
                ignored is null ? named : ClassList.Of(named.Classes.Concat(ignored.Classes), $"--classes and {ignore.Name}"),
                ignored?.Count ?? 0,
                OptionValue.Number(result, background, 0, 1),
                OptionValue.Path(result, clip),
                free.Read(result, trained: result.GetValue(checkpoint) is not null),
                windows.Read(result),
                Parts(save.Name, result.GetValue(save) ?? ""),
                result.GetValue(skip),
                OptionValue.Precision(result, precision),
                OptionValue.RequiredPath(result, output),
                common.Read(result, host)));
        });
        return command;
    }

    /// <summary>Runs the verb and returns the exit code. The processes of a job share the pictures; each writes the results of its own.</summary>
    /// <exception cref="InputException">Bad input; when it is one of several pictures, the results of the others have been written.</exception>
    public static int Run(SegmentOptions options)
    {
        if (options.Checkpoint is null && options.Clip is null)
        {
            throw new InputException("segment: expected --checkpoint F, or --clip PATH for a CLIP alone, found neither.");
        }

        CommonOptions common = options.Common;
        JobMember job = common.Member;
        string[] names = [.. options.Classes.Take(options.Classes.Count - options.Ignored)];
        bool coco = options.Save.HasFlag(SegmentParts.Coco);
        if (coco && options.SkipExisting)
        {
            throw new InputException("--skip-existing: expected none with --save coco, whose file holds all pictures.");
        }

        using LdvcCheckpoint? checkpoint = job.Together(() => options.Checkpoint is { } file ? LdvcCheckpoint.Open(file) : null);
        job.Together(() => RefusePenalty(options, checkpoint));
        double? background = options.Background ?? checkpoint?.Config.Eval.Background;
        if (options.Background is null && background > 0)
        {
            common.Out.WriteLine(FormattableString.Invariant(
                $"pixels below {background} get no class, as eval.background of {checkpoint!.Path} says; --background 0 switches that off"));
        }

        // Names and weights are files of each node: pictures of one folder would get the labels of several models, under the digest of one.
        string digest = job.Together(() => Digest(options, checkpoint, background));
        job.RequireAlike(
        [
            .. JobFacts.OfProgram(), ("the list of class names", string.Join(", ", options.Classes.Classes)),
            ("the digest of weights, windows and thresholds", digest),
        ]);
        var files = new SegmentFiles(options.Out, options.Save, digest);
        SegmentInputs inputs = Find(options, files, job);
        PictureSource[] pictures = inputs.Pending;
        var own = new List<SegmentEntry>();
        long began = Stopwatch.GetTimestamp();
        if (pictures.Length > 0)
        {
            int[] numbers = [.. Deal.Of(job.Group, pictures.Length)];
            job.Together(() => OutputFolder.Check(options.Out));
            using Device device = common.OpenDevice(options.Precision);
            using SegmentationModel model = job.Together(() => Load(checkpoint, device, options));
            using Segmenter segmenter = job.Together(() => model.CreateSegmenter(options.Classes, options.Windows.Apply, options.Ignored));
            job.Together(() => OutputFolder.Create(options.Out));
            common.Note(model.Note);
            common.Note(OneName(options, background));
            SharedWork.Run(job, cancellation => new SegmentPipeline
            {
                Segmenter = segmenter,
                Files = files,
                Background = background,
                Scores = options.Save.HasFlag(SegmentParts.Probabilities),
                Together = Together,
                WindowsDone = ReportWindows(common, cancellation),
            }.Run([.. numbers.Select(i => pictures[i])], outcome => Report(numbers[own.Count], outcome), cancellation));
        }

        List<SegmentEntry> all = SegmentEntry.Gather(job, own);
        string? failure = job.FromFirst(() => Finish(options, names, all, inputs, files, Stopwatch.GetElapsedTime(began).TotalSeconds));
        return failure is null ? 0 : throw (job.IsAlone ? new InputException(failure) : JobMember.Agreed(failure));

        void Report(int index, SegmentOutcome outcome)
        {
            own.Add(SegmentEntry.Of(index, outcome, common.Json is not null, coco ? names.Length : 0));
            string counted = pictures.Length == 1 ? "" : $"  [{index + 1}/{pictures.Length}]";
            string seconds = outcome.Seconds.ToString("F2", CultureInfo.InvariantCulture);

            // Why, at once: a run that is stopped, or that finds the disk full, does not come to the list at its end.
            common.Out.WriteLine(TerminalText.OneLine(outcome.Result is { } result
                ? $"{result.Image}  {result.Width}x{result.Height}  {seconds} s  {result.Describe(ClassesShown)}{counted}"
                : pictures.Length == 1 ? $"{outcome.Source.Path}  failed" : $"failed: {outcome.Failure!.Message}{counted}"));
        }
    }

    // The list is made by one process: while others begin to write, files would come and go in it.
    private static SegmentInputs Find(SegmentOptions options, SegmentFiles files, JobMember job) => job.IsAlone
        ? SegmentInputs.Find(options, files)
        : JsonSerializer.Deserialize<SegmentInputs>(
            job.FromFirst(() => JsonSerializer.Serialize(SegmentInputs.Find(options, files), JsonText.Plain))!, JsonText.Plain)!;

    // Writes what is about all pictures; the sentence of the pictures that failed, null when none did.
    private static string? Finish(
        SegmentOptions options, string[] names, List<SegmentEntry> entries, SegmentInputs inputs, SegmentFiles files, double seconds)
    {
        CommonOptions common = options.Common;
        if (options.Save.HasFlag(SegmentParts.Coco))
        {
            var annotations = new CocoAnnotations(names);
            foreach (CocoPicture picture in entries.Select(entry => entry.Coco).OfType<CocoPicture>())
            {
                annotations.Add(picture);
            }

            JsonText.Write(files.Coco, annotations.ToJson());
        }

        if (common.Json is not null)
        {
            common.WriteJson(inputs.Results(entries, files));
        }

        string[] failures = [.. entries.Select(entry => entry.Failure).OfType<string>()];
        int found = inputs.All.Length;
        if (found > 1 && entries.Count > 0)
        {
            int done = entries.Count - failures.Length;
            common.Out.WriteLine(FormattableString.Invariant(
                $"{done} images in {seconds:F1} s ({done / seconds:F2} images/s, the start included); {failures.Length} failed"));
            foreach (string each in failures.Take(FailuresShown))
            {
                common.Out.WriteLine($"  {TerminalText.OneLine(each)}");
            }

            if (failures.Length > FailuresShown)
            {
                common.Out.WriteLine($"  and {failures.Length - FailuresShown} more{(common.Json is null ? "; --json lists all" : "")}");
            }
        }

        string others = failures.Length <= 1 ? "" : $" (and {failures.Length - 1} more of the {found} images)";
        return failures.Length == 0 ? null : failures[0] + others;
    }

    // A picture of many windows says every few seconds how far it is.
    private static Action<int, int> ReportWindows(CommonOptions common, CancellationToken cancellation)
    {
        long last = Stopwatch.GetTimestamp();
        return (done, all) =>
        {
            cancellation.ThrowIfCancellationRequested();
            if (all >= ManyWindows && done < all && Stopwatch.GetElapsedTime(last) > WindowsEvery)
            {
                last = Stopwatch.GetTimestamp();
                common.Out.WriteLine($"window {done} of {all}");
            }
        };
    }

    private static SegmentParts Parts(string name, string text)
    {
        SegmentParts parts = SegmentParts.None;
        string[] words = text.Split(',', StringSplitOptions.TrimEntries);
        foreach (string word in words)
        {
            SegmentParts[] all = Enum.GetValues<SegmentParts>();
            int found = Array.FindIndex(all, part => ConfigWriter.EnumName(part) == word);
            parts |= found >= 0
                ? all[found]
                : throw new InputException($"{name}: expected some of {string.Join(", ", all.Select(part => ConfigWriter.EnumName(part)))}, found "
                    + $"{ConfigText.Quote(word)}.");
        }

        string none = ConfigWriter.EnumName(SegmentParts.None);
        return parts == SegmentParts.None || !words.Contains(none) ? parts
            : throw new InputException($"{name}: expected {none} alone or other parts, found both in {ConfigText.Quote(text)}.");
    }

    // Names are compared with each other: a single one has every pixel, wherever it is.
    private static string? OneName(SegmentOptions options, double? background) => options.Classes.Count > 1 ? null
        : options.TrainingFree is not null
            ? "with one name, every pixel gets it, as a CLIP alone compares names; say what else there may be with --ignore-classes"
        : background > 0 ? null
        : "with one name and without a threshold, every pixel gets it; say what else there may be with --ignore-classes, or give --background";

    // What is not subtracted from anything is not asked for.
    private static void RefusePenalty(SegmentOptions options, LdvcCheckpoint? checkpoint)
    {
        if (options.Windows.Penalty > 0 && checkpoint?.Config.Train.Setting != TrainSetting.Inductive)
        {
            string found = checkpoint is null ? "a CLIP alone, which saw no masks"
                : $"{checkpoint.Path} of {ConfigWriter.EnumName(checkpoint.Config.Train.Setting)} training, after which no class is held back";
            throw new InputException($"--penalty: expected a checkpoint of inductive training, found {found}; leave the option out.");
        }
    }

    // What the results depend on besides the pictures.
    private static string Digest(SegmentOptions options, LdvcCheckpoint? checkpoint, double? background)
    {
        var asked = new SegmentRequest(options.Classes, options.Ignored, background, options.Precision);
        if (checkpoint is not null)
        {
            return SegmentSettings.Of(checkpoint, options.Windows.Apply(checkpoint.Config.Eval), asked);
        }

        var (config, activation) = options.TrainingFree!.Value;
        EvalConfig eval = options.Windows.Apply(config.Over(new EvalConfig()));
        return SegmentSettings.Of(Clip.ClipCheckpoint.Find(options.Clip!), activation, config, eval, asked);
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
}
