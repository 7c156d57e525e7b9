using System.CommandLine;
using System.Globalization;
using Ldvc.App.Terminal;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc demo` is told.</summary>
/// <param name="Out">Folder of the report and the two trained models.</param>
/// <param name="Record">--record, null when it was not given.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record DemoOptions(string Out, string? Record, CommonOptions Common);

/// <summary>`ldvc demo`.</summary>
internal static class DemoVerb
{
    private const int MaxPictures = 99999;
    private const int ProbePictures = 300;

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        var output = new Option<string>("--out")
        {
            HelpName = "DIR",
            Description = "Folder of the report and of the trained models.",
            DefaultValueFactory = _ => DemoFiles.DefaultFolder,
        };
        var data = new Option<string?>("--write-data")
        {
            HelpName = "DIR",
            Description = "Instead writes the drawn benchmark (data.synthetic.vocabulary: scenes) to DIR in PASCAL VOC's layout, for data.kind: "
                + "folder and other programs. --seed draws other scenes.",
        };
        var pictures = new Option<string>("--pictures")
        {
            HelpName = "TRAIN,VAL",
            Description = "With --write-data: how many pictures.",
            DefaultValueFactory = _ => "4000,200",
        };
        Option<string?> record = CommandParts.Record();
        var command = new VerbCommand(
            "demo",
            "Segments drawn scenes, unseen classes included, with the small model of this repository, and writes a report with pictures.",
            "ldvc demo --out demo-output")
        {
            output,
            data,
            pictures,
            record,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result =>
        {
            if (OptionValue.Path(result, data) is not { } folder)
            {
                return result.GetResult(pictures) is { Implicit: false }
                    ? throw new InputException($"{pictures.Name}: expected {data.Name} DIR beside it, which it is for, found none.")
                    : Run(new DemoOptions(OptionValue.RequiredPath(result, output), OptionValue.Record(result, record), common.Read(result, host)));
            }

            if (OptionValue.Record(result, record) is { } name)
            {
                throw new InputException($"--record: expected no name with --write-data, which measures nothing, found {ConfigText.Quote(name)}.");
            }

            return result.GetResult(output) is { Implicit: false }
                ? throw new InputException($"{output.Name}: expected none beside {data.Name}, which names the folder, found both.")
                : WriteDataVerb.Run(new WriteDataOptions(folder, Counts(OptionValue.RequiredText(result, pictures)), common.Read(result, host)));
        });
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The assets are missing, or the folder cannot be written.</exception>
    public static int Run(DemoOptions options)
    {
        string assets = DemoAssets.Find() ?? throw new InputException(
            $"the demo's small CLIP was not found: expected a folder {DemoAssets.Folder} beside the program or in the working directory");
        var missing = DemoAssets.Missing(assets);
        if (missing.Length > 0)
        {
            throw new InputException($"{assets}: the demo needs {string.Join(", ", missing)}, which are not there");
        }

        var common = options.Common;
        common.CheckRecord(options.Record);
        var config = ConfigLoader.Load(Path.Combine(assets, DemoAssets.Config), common.ApplySeed([]));
        string clip = Path.Combine(assets, DemoAssets.Clip), reportPath = Path.Combine(options.Out, "report.html");
        DemoReport.RefuseOther(reportPath);
        OutputFolder.Create(options.Out);
        using var device = common.OpenDevice();
        double probe = Probe(clip, device);
        common.Out.WriteLine($"small CLIP: {Percent(probe)} % zero-shot accuracy on single objects; ZegCLIP and LDVC learn "
            + $"{SceneTask.Shapes.SeenNames.Length} seen classes around it");
        using var run = new DemoRun(config, clip, device, common.Monitor, common.Cancellation);
        var result = run.Run();
        run.Save(options.Out);
        DemoReport.Write(reportPath, run, result, config, probe);
        Print(common.CreateConsole(), result);
        common.Out.WriteLine($"report: {Path.GetFullPath(reportPath)}");
        common.Out.WriteLine($"models: {Path.Combine(options.Out, DemoFiles.LdvcFile)} and {DemoFiles.ZegclipFile} beside it, for `ldvc serve`, "
            + "`ldvc segment` and `ldvc eval`");
        common.WriteJson(new
        {
            result.Steps,
            result.Ldvc.TrainSeconds,
            result.TotalSeconds,
            ClipAccuracy = probe,
            result.Ldvc.Scores,
            result.Ldvc.WithoutPenalty,
            result.Ldvc.Shuffled,
            Intervals = result.LdvcIntervals,
            Baseline = new
            {
                result.Baseline.Name,
                result.Baseline.TrainSeconds,
                result.Baseline.Scores,
                result.Baseline.WithoutPenalty,
                result.Baseline.Shuffled,
                Intervals = result.BaselineIntervals,
            },
            TrainingFree = new
            {
                result.TrainingFree.Name,
                result.TrainingFree.Scores,
                result.TrainingFree.Shuffled,
                Intervals = result.TrainingFreeIntervals,
            },
            result.Gain,
        });
        common.Record(options.Record, command => DemoRecord.Entry(result, config, command, device));
        return 0;
    }

    private static double Probe(string clip, Device device)
    {
        using var model = ClipCheckpoint.Find(clip).Load(device);
        return ZeroShotAccuracy.Measure(
            new ProbeEmbedder(model, device, ClipTokenizer.Load(clip)), ZeroShotProbe.Task(ProbePictures, model.Config.ImageSize));
    }

    private static void Print(IAnsiConsole console, DemoResult result)
    {
        var table = new Table().RoundedBorder().AddColumn(DemoTable.Headers[0]);
        foreach (string column in DemoTable.Headers.Skip(1))
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (string[] row in DemoTable.Rows(result))
        {
            table.AddRow(row);
        }

        console.Write(table);
        console.WriteLine(
            $"in brackets: 95 % intervals over the {result.Ldvc.Pictures.Count} scenes, one training run each; "
            + $"with shuffled class embeddings, mIoU(U) is {Percent(result.Baseline.Shuffled.Unseen)} and {Percent(result.Ldvc.Shuffled.Unseen)}");
    }

    private static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    private static (int Train, int Val) Counts(string text)
    {
        string[] parts = text.Split(',');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int train) && train is >= 1 and <= MaxPictures
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int val) && val is >= 1 and <= MaxPictures
            ? (train, val)
            : throw new InputException(
                $"--pictures: expected two whole numbers from 1 to {MaxPictures}, as in 4000,200, found {ConfigText.Quote(text)}.");
    }
}
