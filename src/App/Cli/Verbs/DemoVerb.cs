using System.Globalization;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.App.Cli.Verbs;

/// <summary>What `ldvc demo` is told.</summary>
/// <param name="Out">Folder of the report and the two trained models.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record DemoOptions(string Out, CommonOptions Common);

/// <summary>`ldvc demo`.</summary>
internal static class DemoVerb
{
    private const int ProbePictures = 300;

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The assets are missing, or the folder cannot be written.</exception>
    public static int Run(DemoOptions options)
    {
        string assets = DemoAssets.Find() ?? throw new InputException($"the demo's small CLIP was not found: expected a folder {DemoAssets.Folder} beside the program or in the working directory");
        var missing = DemoAssets.Missing(assets);
        if (missing.Length > 0)
        {
            throw new InputException($"{assets}: the demo needs {string.Join(", ", missing)}, which are not there");
        }

        var common = options.Common;
        var config = ConfigLoader.Load(Path.Combine(assets, DemoAssets.Config), common.ApplySeed([]));
        OutputFolder.Create(options.Out);
        string clip = Path.Combine(assets, DemoAssets.Clip), reportPath = Path.Combine(options.Out, "report.html");
        using var device = common.OpenDevice();
        double probe = Probe(clip, device);
        common.Out.WriteLine($"small CLIP: {Percent(probe)} % zero-shot accuracy on single objects; ZegCLIP and LDVC learn {TaskClasses.SeenNames.Length} seen classes around it");
        using var run = new DemoRun(config, clip, device, common.Monitor, common.Cancellation);
        var result = run.Run();
        run.Save(options.Out);
        DemoReport.Write(reportPath, run, result, config, probe);
        Print(common.CreateConsole(), result);
        common.Out.WriteLine($"report: {Path.GetFullPath(reportPath)}");
        common.Out.WriteLine($"models: {Path.Combine(options.Out, DemoFiles.LdvcFile)} and {DemoFiles.ZegclipFile} beside it, for `ldvc serve`, `ldvc segment` and `ldvc eval`");
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
            result.Gain,
        });
        return 0;
    }

    private static double Probe(string clip, Device device)
    {
        using var model = ClipCheckpoint.Find(clip).Load(device);
        return ZeroShotAccuracy.Measure(new ProbeEmbedder(model, device, ClipTokenizer.Load(clip)), ZeroShotProbe.Task(ProbePictures, model.Config.ImageSize));
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
}
