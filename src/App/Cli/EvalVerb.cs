using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Reports;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc eval` is told.</summary>
/// <param name="Config">The configuration file.</param>
/// <param name="Checkpoint">An LDVC checkpoint; null = the configuration's CLIP alone.</param>
/// <param name="Sets">Overrides, "a.b=v" each.</param>
/// <param name="Report">File for the page with the confusion matrix, null when not wanted.</param>
/// <param name="Record">--record, null when it was not given.</param>
/// <param name="Precision">Precision of the products; the configuration's train.precision is for training.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record EvalOptions(
    string Config, string? Checkpoint, string[] Sets, string? Report, string? Record, Precision Precision, CommonOptions Common);

/// <summary>
/// `ldvc eval`: the data and the inference settings are the configuration's; the model and the training setting are the checkpoint's.
/// </summary>
internal static class EvalVerb
{
    private static readonly string[] ReportFacts = ["checkpoint", "step", "data", "pictures", "setting", "precision"];
    private static readonly string[] ClipFacts = ["CLIP", "data", "pictures", "method", "precision"];

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Argument<string> config = CommandParts.Config();
        Option<string?> checkpoint = CommandParts.Checkpoint("--training-free scores the CLIP alone");
        var free = new Option<bool>("--training-free")
        {
            Description = "Scores the configuration's CLIP alone, with section training_free, in place "
            + "of a checkpoint."
        };
        Option<string[]> sets = CommandParts.Sets();
        var report = new Option<string?>("--report")
        {
            HelpName = "FILE",
            Description = "Also writes a page (HTML): scores, the confusion matrix as a picture, what each class is mostly taken for, the first "
                + "pictures.",
        };
        Option<string?> record = CommandParts.Record();
        Option<string> precision = CommandParts.Precision();
        var command = new VerbCommand(
            "eval",
            "Scores a checkpoint, or a CLIP alone, on the validation images: mIoU of seen and unseen classes, their harmonic mean, pixel accuracy.",
            "ldvc eval configs/voc/inductive.yaml --checkpoint runs/voc-inductive/checkpoints/ckpt-00020000.safetensors",
            VerbProcesses.Several)
        {
            config,
            checkpoint,
            free,
            sets,
            report,
            record,
            precision,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result =>
        {
            var options = new EvalOptions(
                OptionValue.RequiredPath(result, config),
                OptionValue.Path(result, checkpoint),
                CommandParts.Read(result, sets),
                OptionValue.OutputFile(result, report),
                OptionValue.Record(result, record),
                OptionValue.Precision(result, precision),
                common.Read(result, host));
            return (options.Checkpoint is null) == result.GetValue(free)
                ? Run(options)
                : throw new InputException(
                    $"eval: expected --checkpoint F or --training-free, found {(options.Checkpoint is null ? "neither" : "both")}.");
        });
        return command;
    }

    /// <summary>Runs the verb and returns the exit code. The processes of a job share the pictures; the first one writes.</summary>
    /// <exception cref="InputException">Bad input, or a configuration of another model.</exception>
    public static int Run(EvalOptions options)
    {
        JobMember job = options.Common.Member;
        job.OnFirst(() => options.Common.CheckRecord(options.Record));
        LdvcConfig config = job.Together(() => ConfigLoader.Load(options.Config, options.Common.ApplySeed(options.Sets)));
        job.RequireAlike(JobFacts.OfConfig(config));
        return options.Checkpoint is null ? RunClip(options, config, job) : RunTrained(options, config, job);
    }

    private static int RunTrained(EvalOptions options, LdvcConfig config, JobMember job)
    {
        CommonOptions common = options.Common;
        using LdvcCheckpoint checkpoint = job.Together(() => LdvcCheckpoint.Open(options.Checkpoint!));
        job.Together(() => checkpoint.RefuseOtherModel(config));

        // Whether the seen penalty applies depends on how the checkpoint was trained, not on the configuration.
        config = config with { Train = config.Train with { Setting = checkpoint.Config.Train.Setting } };
        SegmentationDataset dataset = job.Together(() => OpenData(config));
        using Device device = common.OpenDevice(options.Precision);
        using LoadedModel loaded = job.Together(() => checkpoint.LoadModel(device, config.Clip.Path));
        job.RequireAlike(job.Together(() => job.IsAlone ? [] : JobFacts.OfEvaluation(config, loaded, dataset)));
        common.Note(loaded.Note);
        int images = Evaluator.Count(dataset, config);
        common.Out.WriteLine(
            $"{options.Checkpoint}: step {checkpoint.Step}, {ConfigWriter.EnumName(config.Train.Setting)}; {images} pictures of {dataset.Name}");
        Warn(common, job, dataset);

        string[] shown = [.. dataset.Split.Unseen.Select(id => dataset.Classes[id]).Where(checkpoint.Seen.Contains)];
        if (shown.Length > 0)
        {
            string more = shown.Length > 1 ? $" and {shown.Length - 1} more" : "";
            common.Out.WriteLine($"note: training had masks of {ConfigText.Quote(shown[0])}{more} of the unseen classes: "
                + "mIoU(U) and hIoU are not zero-shot scores");
        }

        EvaluationReport? report = options.Report is null ? null : new EvaluationReport();
        Confusion confusion = Evaluation.Confuse(
            common.Monitor, loaded, dataset, config, report is null ? null : new PictureShow(EvaluationReport.MaxPictures, report.Add), job);
        var told = Tell(options, dataset, confusion, checkpoint.Classes);
        string[] facts = [options.Checkpoint!, $"{checkpoint.Step}", dataset.Name, $"{images}", ConfigWriter.EnumName(config.Train.Setting),
            ConfigWriter.EnumName(options.Precision)];
        job.OnFirst(() =>
        {
            Save(report, options, $"{options.Checkpoint} on {images} pictures of {dataset.Name}", told, confusion, dataset, ReportFacts.Zip(facts));
            common.WriteJson(new
            {
                Data = dataset.Name,
                Images = images,
                options.Checkpoint,
                checkpoint.Step,
                Precision = ConfigWriter.EnumName(options.Precision),
                Setting = ConfigWriter.EnumName(config.Train.Setting),
                ShownUnseen = shown,
                told.Scores,
                told.MostlyTakenFor,
                told.Confusion,
                told.Notes,
            });
            var row = new LedgerRow("checkpoint", $"step {checkpoint.Step}", true, []);
            common.Record(options.Record, command => EvaluationRecord.Entry(
                command, config, device, images, told.Values, row, checkpoint.Config.Train.Seed, checkpoint.Step));
        });
        return 0;
    }

    // The CLIP alone: no class had masks, so there is no penalty, and "seen" and "unseen" are only the data set's split.
    private static int RunClip(EvalOptions options, LdvcConfig config, JobMember job)
    {
        CommonOptions common = options.Common;
        string clip = config.Require(config.Clip.Path, "clip.path", "the pretrained CLIP");
        SegmentationDataset dataset = job.Together(() => OpenData(config));
        using Device device = common.OpenDevice(options.Precision);
        using SegmentationModel model = job.Together(() => SegmentationModel.OfClip(config.Clip, device, config.TrainingFree, config.Eval));
        job.RequireAlike(job.Together(() => job.IsAlone ? [] : (List<(string, string)>)
            [.. JobFacts.OfPictures("validation", dataset), .. JobFacts.OfFiles(ClipCheckpoint.Find(clip))]));
        int images = Evaluator.Count(dataset, config);
        common.Out.WriteLine($"{clip}, without training; {images} pictures of {dataset.Name}");
        Warn(common, job, dataset);

        EvaluationReport? report = options.Report is null ? null : new EvaluationReport();
        Confusion confusion;
        using (Segmenter segmenter = job.Together(() => model.CreateSegmenter(dataset.Classes)))
        {
            common.Note(model.Note);
            confusion = Evaluation.Confuse(
                common.Monitor,
                segmenter,
                device,
                dataset,
                config,
                config.TrainingFree.Background,
                report is null ? null : new PictureShow(EvaluationReport.MaxPictures, report.Add),
                job);
        }

        // The CLIP knows no names but the data set's.
        var told = Tell(options, dataset, confusion, dataset.Classes);
        string[] facts = [clip, dataset.Name, $"{images}", TrainingFreeText(config.TrainingFree), ConfigWriter.EnumName(options.Precision)];
        job.OnFirst(() =>
        {
            Save(
                report, options, $"{clip}, without training, on {images} pictures of {dataset.Name}", told, confusion, dataset, ClipFacts.Zip(facts));
            common.WriteJson(new
            {
                Data = dataset.Name,
                Images = images,
                Clip = clip,
                TrainingFree = ConfigWriter.ToDictionary(config.TrainingFree),
                Precision = ConfigWriter.EnumName(options.Precision),
                told.Scores,
                told.MostlyTakenFor,
                told.Confusion,
                told.Notes,
            });
            var row = new LedgerRow("training-free", "CLIP, no training", false, []);
            common.Record(options.Record, command => EvaluationRecord.Entry(command, config, device, images, told.Values, row, 0, 0));
        });
        return 0;
    }

    private static void Warn(CommonOptions common, JobMember job, SegmentationDataset dataset)
    {
        foreach (string warning in job.IsFirst ? MaskWarnings.Of(dataset) : [])
        {
            common.Monitor.Warn(warning);
        }
    }

    private static SegmentationDataset OpenData(LdvcConfig config)
    {
        SegmentationDataset dataset = DrawnData.Registry.OpenValidation(config);
        Confusion.CheckRoom(dataset.Name, dataset.Classes.Count);
        return dataset;
    }

    private static string TrainingFreeText(TrainingFreeConfig config) =>
        $"attention {ConfigWriter.EnumName(config.Attention)}{(config.Residual ? ", residual" : "")}, {config.Template.Length} "
            + $"{(config.Template.Length == 1 ? "template" : "templates")}";

    // Prints scores and notes; what goes into the JSON.
    private static Told Tell(EvalOptions options, SegmentationDataset dataset, Confusion confusion, ClassList trained)
    {
        Scores scores = Scores.From(confusion, dataset.Classes, dataset.Split);
        TakenFor?[] mistakes = Diagnosis.Mistakes(confusion, dataset.Classes);
        foreach (string line in ScoreTable.Lines(scores, mistakes))
        {
            options.Common.Out.WriteLine(line);
        }

        IReadOnlyList<ScoreNote> notes = Diagnosis.Notes(confusion, dataset.Classes, trained);
        foreach (ScoreNote note in notes)
        {
            options.Common.Out.WriteLine($"note: {note.Text}");
        }

        return new Told(
            scores,
            ScoreTable.ToJson(scores),
            mistakes.Select((m, i) => new { dataset.Classes.Classes[i].Name, As = m?.Name, m?.Share }).ToArray(),
            Matrix(confusion, dataset.Classes),
            notes.Select(note => new { note.Kind, note.Text }).ToArray(),
            [.. notes.Select(note => note.Text)]);
    }

    private static void Save(
        EvaluationReport? report,
        EvalOptions options,
        string title,
        Told told,
        Confusion confusion,
        SegmentationDataset dataset,
        IEnumerable<(string Name, string Value)> facts) =>
        report?.Save(options.Report!, title, told.Values, confusion, dataset, told.Sentences, facts);

    // Almost all entries of a matrix of many classes are 0.
    private static object Matrix(Confusion confusion, ClassList classes)
    {
        string[] truth = [.. classes], predicted = [.. classes, Diagnosis.Background];
        return classes.Count <= ClassList.MaxInBytes
            ? new { Truth = truth, Predicted = predicted, Pixels = confusion.Counts.Chunk(confusion.Classes + 1).ToArray() }
            : new { Truth = truth, Predicted = predicted, Pairs = confusion.Pairs().Select(p => new[] { p.Truth, p.Predicted, p.Pixels }).ToArray() };
    }

    // What an evaluation says, as values and as parts of the JSON.
    private sealed record Told(Scores Values, object Scores, object MostlyTakenFor, object Confusion, object Notes, string[] Sentences);
}
