using System.Globalization;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Demo;
using Ldvc.Pretraining;
using Ldvc.Synthetic;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.Cli.Verbs;

/// <summary>What `ldvc demo` is told.</summary>
/// <param name="Out">Folder of the report.</param>
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
        Directory.CreateDirectory(options.Out);
        string clip = Path.Combine(assets, DemoAssets.Clip), reportPath = Path.Combine(options.Out, "report.html");
        using var device = common.OpenDevice();
        double probe = Probe(clip, device);
        common.Out.WriteLine($"small CLIP: {Percent(probe)} % zero-shot accuracy on single objects; training LDVC on {TaskClasses.SeenNames.Length} seen classes");
        using var run = new DemoRun(config, clip, device, common);
        var result = run.Run();
        DemoReport.Write(reportPath, run, result, config, probe);
        Print(common.CreateConsole(), result);
        common.Out.WriteLine($"report: {Path.GetFullPath(reportPath)}");
        common.WriteJson(new
        {
            result.Steps,
            result.TrainSeconds,
            result.TotalSeconds,
            ClipAccuracy = probe,
            result.Scores,
            result.WithoutPenalty,
            result.Shuffled,
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
        var table = new Table().RoundedBorder().AddColumn("scoring");
        foreach (string column in new[] { "pAcc", "mIoU(S)", "mIoU(U)", "hIoU" })
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var (name, s) in new[] { ("LDVC", result.Scores), ("without seen penalty", result.WithoutPenalty), ("class embeddings shuffled", result.Shuffled) })
        {
            table.AddRow(name, Percent(s.PixelAccuracy), Percent(s.Seen), Percent(s.Unseen), Percent(s.Harmonic));
        }

        console.Write(table);
    }

    private static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
