using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Demo;

public class DemoTests
{
    [Fact]
    public void TheAssetsAreBesideTheProgram()
    {
        string folder = DemoAssets.Find()!;
        Assert.NotNull(folder);
        Assert.Empty(DemoAssets.Missing(folder));
        Assert.True(new FileInfo(Path.Combine(folder, DemoAssets.Clip, "model.safetensors")).Length <= 5_000_000);
    }

    [Fact]
    public void TheSmallClipNamesDrawnObjects()
    {
        string clip = Path.Combine(DemoAssets.Find()!, DemoAssets.Clip);
        using var device = new CpuDevice(1);
        using var model = ClipCheckpoint.Find(clip).Load(device);
        var tokenizer = ClipTokenizer.Load(clip);
        double accuracy = ZeroShotAccuracy.Measure(new ProbeEmbedder(model, device, tokenizer), ZeroShotProbe.Task(120, model.Config.ImageSize));
        Assert.InRange(accuracy, 0.9, 1.0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<!DOCTYPE html><html><head><title>Evaluation</title></head></html>")]
    public void AReportOfSomethingElseStays(string page)
    {
        string folder = Directory.CreateTempSubdirectory("ldvc-demo").FullName, path = Path.Combine(folder, "report.html");
        try
        {
            File.WriteAllText(path, page);
            Assert.Contains("is no report of the demo", CommandLine.Refuses("demo", "--out", folder), StringComparison.Ordinal);
            Assert.Equal(page, File.ReadAllText(path));
            Assert.Single(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void AShortRunScoresAndReports()
    {
        string assets = DemoAssets.Find()!, clip = Path.Combine(assets, DemoAssets.Clip);
        var config = ConfigLoader.Load(
            Path.Combine(assets, DemoAssets.Config), "train.iterations=20", "train.batch=2", "data.synthetic.val_count=4", "data.workers=1");
        using var device = new CpuDevice(1);
        using var run = new DemoRun(config, clip, device, SilentMonitor.Instance, TestContext.Current.CancellationToken);
        var result = run.Run();
        foreach (MethodResult method in new[] { result.Baseline, result.Ldvc })
        {
            Assert.Equal(30, method.Scores.Classes.Count);
            Assert.Equal(6, method.Scores.Classes.Count(c => !c.Seen));
            Assert.All(method.Losses, l => Assert.True(double.IsFinite(l.Loss)));
            Assert.Equal(4, method.Pictures.Count);
        }

        // What the CLIP alone scores is what `eval --training-free` scores with the demo's windows.
        Assert.Equal(4, result.TrainingFree.Pictures.Count);
        Assert.Equal(result.TrainingFree.Scores.PixelAccuracy, result.TrainingFree.WithoutPenalty.PixelAccuracy);
        Assert.True(result.TrainingFree.Scores.Unseen > 5 * result.TrainingFree.Shuffled.Unseen);
        using (var model = SegmentationModel.OfClip(new Ldvc.Configuration.ClipConfig { Path = clip }, device,
            config.TrainingFree with { ShortSide = 128, Window = 128, Stride = 128 }, config.Eval))
        using (Segmenter segmenter = model.CreateSegmenter(run.Validation.Classes))
        {
            Confusion confusion = Evaluator.Confuse(
                segmenter, device, run.Validation, config, null, null, null, JobMember.Alone(TestContext.Current.CancellationToken));
            Assert.Equal(
                result.TrainingFree.Scores.PixelAccuracy, Scores.From(confusion, run.Validation.Classes, run.Validation.Split).PixelAccuracy);
        }

        Assert.Equal(result.Ldvc.Scores.Seen - result.Baseline.Scores.Seen, result.Gain.Seen.Value, 12);
        Assert.NotEqual(result.Baseline.Losses[^1], result.Ldvc.Losses[^1]);

        // What the ledger gets is what was scored; the difference has its own interval.
        LedgerEntry entry = DemoRecord.Entry(result, config, "ldvc demo", device);
        Assert.Equal(["training-free", "zegclip", "ldvc", "gain"], entry.Rows.Select(row => row.Key));
        Assert.Equal(result.Ldvc.Scores.Unseen, entry.Rows[2].Runs[0].Scores[LedgerScores.Unseen]);
        Assert.Equal([result.Gain.Seen.Low, result.Gain.Seen.High], entry.Rows[3].Runs[0].Intervals![LedgerScores.Seen]);
        Assert.Equal("assets/demo/clip", entry.Configuration!["clip"]!["path"]!.ToString());

        // What is kept is what was scored.
        using (var folder = new TempFolder())
        {
            run.Save(folder.Root);
            foreach (var (file, method) in new[] { (DemoFiles.ZegclipFile, result.Baseline), (DemoFiles.LdvcFile, result.Ldvc) })
            {
                using LdvcCheckpoint kept = LdvcCheckpoint.Open(folder.File(file));
                Assert.Equal((20, 24), (kept.Step, kept.Seen.Count));
                using LoadedModel loaded = kept.LoadModel(device, null);
                Assert.Equal(
                    method.Scores.PixelAccuracy,
                    Evaluator.Run(loaded, run.Validation, kept.Config, cancellation: TestContext.Current.CancellationToken).PixelAccuracy);
            }
        }

        string path = Path.Combine(Path.GetTempPath(), $"ldvc-demo-{Guid.NewGuid():N}.html");
        try
        {
            DemoReport.Write(path, run, result, config, 0.5);

            // The demo's own page makes way for the next one.
            DemoReport.RefuseOther(path);
            string html = File.ReadAllText(path);
            Assert.Contains("data:image/", html, StringComparison.Ordinal);
            Assert.DoesNotContain("src=\"http", html, StringComparison.Ordinal);
            Assert.Contains(SceneTask.Shapes.UnseenNames[0], html, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
