using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Tensors;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>train.keep_best: the checkpoint of the highest validation score outlives the newer ones, over interruptions too.</summary>
public sealed class BestCheckpointTests
{
    [Theory]
    [InlineData(BestScore.Hiou, 2)]
    [InlineData(BestScore.Miou, 3)]
    [InlineData(BestScore.MiouUnseen, 1)]
    public void TheHighestScoreOfItsKindIsKept(BestScore score, int expected)
    {
        using var folder = new TempFolder();
        var best = new BestCheckpoint(folder.Root, score, 0);

        // Step 1 has the highest unseen score, step 2 the highest harmonic mean, step 3 the highest mean; the fourth has none of its kind.
        Scores[] scores = [Scored(0.3, 0.6, 0.4), Scored(0.4, 0.5, 0.5), Scored(0.6, 0.1, 0.2), Scored(double.NaN, double.NaN, double.NaN)];
        for (int step = 1; step <= scores.Length; step++)
        {
            File.WriteAllText(folder.File($"{step}"), $"step {step}");
            best.Offer(scores[step - 1], folder.File($"{step}"), step);
        }

        Assert.Equal($"step {expected}", File.ReadAllText(best.Path));
        Assert.Equal(expected, best.Step);

        // Resumed after it, the run knows it; resumed before it, or with another score in mind, it starts anew.
        Assert.Equal(best.Value, new BestCheckpoint(folder.Root, score, expected).Value);
        Assert.Null(new BestCheckpoint(folder.Root, score, expected - 1).Value);
        Assert.Null(new BestCheckpoint(folder.Root, score == BestScore.Miou ? BestScore.Hiou : BestScore.Miou, 9).Value);
    }

    // An unseen class without a pixel scores 0 as soon as it is predicted: the first evaluation would be the best for ever.
    [Theory]
    [InlineData(BestScore.Hiou, 0, 9, "no pixel of an unseen class")]
    [InlineData(BestScore.MiouUnseen, 0, 9, "no pixel of an unseen class")]
    [InlineData(BestScore.Hiou, 9, 0, "no pixel of a seen class")]
    [InlineData(BestScore.MiouUnseen, 9, 0, null)]
    [InlineData(BestScore.Miou, 0, 9, null)]
    [InlineData(BestScore.Hiou, 9, 9, null)]
    public void ScoresOfClassesThatDoNotOccurChooseNothing(BestScore score, long unseen, long seen, string? expected)
    {
        using var folder = new TempFolder();
        var best = new BestCheckpoint(folder.Root, score, 0);
        File.WriteAllText(folder.File("1"), "step 1");
        ClassScore[] classes =
            [new("cat", true, 0.5, 0.5, seen), new("cow", false, 0, double.NaN, unseen), new("dog", true, double.NaN, double.NaN, 0)];
        Scores scores = new(0.5, 0.3, 0.5, 0, 0, classes);
        Assert.Equal(expected is null, best.Offer(scores, folder.File("1"), 1));
        Assert.Equal(expected is null, File.Exists(best.Path));
        Assert.Contains(expected ?? "", best.Missing(scores) ?? "");
        Assert.Equal(expected is null, best.Missing(scores) is null);
    }

    [Fact]
    public void ARunKeepsItAndSaysSo()
    {
        using var data = new TinyData();
        string run = data.At("run"), json = data.At("r.json"), best = Path.Combine(run, "checkpoints", "best.safetensors");
        string[] settings = ["train.eval_every=1", "train.keep=1", "train.keep_best=miou_seen"];
        (int code, _, string error) = CommandLine.Run(SmallRun.Arguments(SmallRun.OwnConfig(data), run, settings));
        Assert.Equal(2, code);
        Assert.Contains("train.keep_best", error, StringComparison.Ordinal);
        settings[2] = "train.keep_best=miou";
        string text = SmallRun.Train(SmallRun.OwnConfig(data), run, [.. settings, "--json", json]);
        using JsonDocument note = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(best, ".json")));
        double[] scores =
        [
            .. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Where(line => line.Contains("\"miou\"", StringComparison.Ordinal))
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("miou").GetDouble()),
        ];
        Assert.Equal(4, scores.Length);
        Assert.Equal(scores.Max(), note.RootElement.GetProperty("value").GetDouble());
        int step = Array.IndexOf(scores, scores.Max()) + 1;
        Assert.Equal(step, note.RootElement.GetProperty("step").GetInt32());
        using var kept = Ldvc.Model.LdvcCheckpoint.Open(best);
        Assert.Equal(step, kept.Step);
        Assert.Contains($"best        {best} (miou ", text, StringComparison.Ordinal);
        Assert.Contains("best.safetensors", File.ReadAllText(json), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutEvaluationsOrUnseenClassesItIsRefused()
    {
        using var data = new TinyData();
        (int code, _, string error) = CommandLine.Run(SmallRun.Arguments(SmallRun.OwnConfig(data), data.At("run"), "train.keep_best=miou"));
        Assert.Equal(2, code);
        Assert.Contains("train.keep_best: expected train.eval_every above 0", error, StringComparison.Ordinal);
        var refused = Assert.Throws<InputException>(() => BestCheckpoint.Check(BestScore.Hiou, 0, "a.yaml: "));
        Assert.Equal("a.yaml: train.keep_best is hiou, expected miou: the data set has no unseen classes.", refused.Message);
    }

    private static Scores Scored(double mean, double unseen, double harmonic) => new(0.5, mean, 0.5, unseen, harmonic, []);
}
