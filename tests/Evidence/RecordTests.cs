using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.App.Cli;
using Ldvc.Lab.Evidence;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Evidence;

/// <summary>`--record` of ablate and eval, and learning curves, on a small folder of pictures.</summary>
public sealed class RecordTests : IDisposable
{
    private static readonly string[] Few =
        ["train.iterations=4", "model.decoder.windows=2", "model.decoder.topk=3", "ablate.pictures=0", "ablate.route_pictures=0",
            "ablate.curve=[1, 3]", "train.log_every=2"];

    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    private string Folder => _data.At("compared");

    private string Results => _data.At("results");

    [Fact]
    public void AComparisonWithCurvesIsRecordedAndStaysRecorded()
    {
        string whole = _data.At("whole");
        string[] Line(string output) => [.. SmallRun.Verb("ablate", SmallRun.OwnConfig(_data), Few), "--rows", "training-free,zegclip,ldvc",
            "--seeds", "2", "--out", output, "--record", "tiny"];
        Run(0, Line(whole));
        LedgerEntry entry = Ledger.Read(Results, "tiny");
        Assert.Equal((LedgerKind.Ablate, "cpu", "fp32", 1), (entry.Kind, entry.Device, entry.Precision, entry.Threads));
        Assert.StartsWith("ldvc ablate ", entry.Command, StringComparison.Ordinal);
        Assert.DoesNotContain("--record", entry.Command);
        Assert.Equal((BitsHistory.Own.Id, 0, 0), (entry.Program.Bits, entry.CheckedSteps, entry.MeasuredBy.Length));
        Assert.Equal([0, 1], entry.Seeds);
        Assert.Equal(["training-free 1", "zegclip 2", "ldvc 2"], entry.Rows.Select(row => $"{row.Key} {row.Runs.Length}"));
        Assert.Equal("4", entry.Configuration!["train"]!["iterations"]!.ToJsonString());
        LedgerRun run = entry.Rows[2].Runs[1];
        Assert.Equal([1, 3, 4], run.Curve!.Select(point => point.Step));
        Assert.Equal(run.Scores[LedgerScores.PixelAccuracy], run.Curve![^1].Scores[LedgerScores.PixelAccuracy]);
        string[] scored = [.. File.ReadLines(Path.Combine(whole, "runs", "ldvc", "inductive-seed-1", "metrics.jsonl"))
            .Where(line => line.Contains("pixel_accuracy", StringComparison.Ordinal))];
        Assert.Equal([1, 3, 4], scored.Select(line => JsonNode.Parse(line)!["step"]!.GetValue<int>()));
        Assert.Equal(JsonNode.Parse(scored[1])!["hiou"]?.GetValue<double>() ?? double.NaN, run.Curve![1].Scores[LedgerScores.Harmonic]);
        string tables = File.ReadAllText(Path.Combine(whole, "ablation.md"));
        Assert.Contains("**Learning curves: LDVC (+ text prompts) against ZegCLIP", tables);
        Assert.Contains("- hIoU: after 1", tables);
        Assert.DoesNotContain("every seed", tables);
        Assert.Contains("class=\"band s1\"", File.ReadAllText(Path.Combine(whole, "report.html")));

        // Stopped on the way and in an evaluation of it, and continued: the same.
        foreach (string when in new[] { "run 3 of 5", "step 2/4", "image 1/2" })
        {
            using var stop = new CancellationTokenSource();
            using var output = new StoppingWriter(when, stop);
            File.Delete(Path.Combine(Results, "tiny.json"));
            Assert.Equal(Application.Interrupted, Application.Run(Results, Line(Folder), output, TextWriter.Null, false, stop.Token));
            Assert.False(File.Exists(Path.Combine(Results, "tiny.json")));
        }

        Run(0, Line(Folder));
        LedgerEntry again = Ledger.Read(Results, "tiny");
        Assert.Equal(Scores(entry), Scores(again));

        // A folder that is finished is recorded without training again.
        string text = Run(0, Line(Folder));
        Assert.Equal(5, text.Split("(done before)").Length - 1);
        Assert.Contains($"recorded {Path.Combine(Results, "tiny.json")}", text);

        // Results that do not say what trained them are tried: the first steps again.
        string[] results = Directory.GetFiles(Path.Combine(Folder, "results"));
        foreach (string file in results)
        {
            Edit(file, json => json.Remove("origin"));
        }

        text = Run(0, Line(Folder));
        Assert.Contains("ldvc, seed 0: 2 steps trained again, with the same loss", text);
        Assert.Equal(2, Ledger.Read(Results, "tiny").CheckedSteps);
        string log = Path.Combine(Folder, "runs", "zegclip", "inductive-seed-0", "metrics.jsonl");
        string lines = File.ReadAllText(log);
        File.WriteAllText(log, System.Text.RegularExpressions.Regex.Replace(lines, "\"loss\":[0-9.]+", "\"loss\":1.25"));
        Assert.Contains("it was trained by another arithmetic", Run(2, Line(Folder)));
        File.WriteAllText(log, lines);

        // Results that say they are of another arithmetic, or of other vectors, are not recorded.
        File.Delete(Path.Combine(Results, "tiny.json"));
        string one = results.First(file => file.Contains("ldvc-inductive-seed-1", StringComparison.Ordinal));
        Edit(
            one, json => json["origin"] = JsonSerializer.SerializeToNode(Origin.Here with { Bits = "0badbits" }, Ldvc.Configuration.JsonText.Format));
        Assert.Contains("found bits 0badbits", Run(2, Line(Folder)));
        Assert.False(File.Exists(Path.Combine(Results, "tiny.json")));

        // A run that was trained without a curve has none.
        Assert.Contains("expected scores at step 2, as ablate.curve says, found none", Run(2, [.. Line(Folder), "--set", "ablate.curve=[2]"]));
    }

    // Scored anew by this program, trained by another: what counts are the weights.
    [Fact]
    public void ARunIsOfTheProgramThatTrainedIt()
    {
        string[] line =
        [
            .. SmallRun.Verb("ablate", SmallRun.OwnConfig(_data), [.. Few, "ablate.curve=[]", "train.iterations=1"]),
            "--rows", "route", "--seeds", "1", "--out", Folder, "--record", "tiny",
        ];
        Run(0, line);
        string note = Assert.Single(Directory.GetFiles(Path.Combine(Folder, "trained")));
        string result = Assert.Single(Directory.GetFiles(Path.Combine(Folder, "results")));
        Origin[] other = [Origin.Here with { Bits = "0badbits" }];
        File.WriteAllText(note, Ldvc.Configuration.JsonText.Of(other));
        string text = Run(2, [.. line, "--set", "ablate.penalties=[0.5]"]);
        Assert.Contains("found bits 0badbits", text);
        Assert.Contains("0badbits", File.ReadAllText(result));

        // Nobody noted who trained it: the first steps are tried.
        File.Delete(note);
        File.Delete(result);
        Assert.Contains("route, seed 0: 1 steps trained again, with the same loss", Run(0, [.. line, "--set", "ablate.penalties=[0.7]"]));
    }

    [Fact]
    public void AnEvaluationIsRecorded()
    {
        string run = _data.At("run"), config = SmallRun.OwnConfig(_data), json = _data.At("scores.json");
        SmallRun.Train(config, run, "train.iterations=1", "--seed", "7");
        Run(0, [.. SmallRun.Verb("eval", config), "--checkpoint", SmallRun.Checkpoint(run, 1), "--record", "one", "--json", json]);
        LedgerEntry entry = Ledger.Read(Results, "one");
        LedgerRun scored = Assert.Single(Assert.Single(entry.Rows).Runs);
        Assert.Equal((LedgerKind.Eval, 7, 1), (entry.Kind, scored.Seed, scored.Steps));
        using JsonDocument scores = JsonDocument.Parse(File.ReadAllText(json));
        Assert.Equal(scores.RootElement.GetProperty("scores").GetProperty("pixel_accuracy").GetDouble(), scored.Scores[LedgerScores.PixelAccuracy]);
        Run(0, [.. SmallRun.Verb("eval", config), "--training-free", "--record", "one"]);
        Assert.Empty(Ledger.Read(Results, "one").Seeds);
    }

    [Theory]
    [InlineData("--record: expected a name of at most 64 letters, digits, '-' and '_', found "
        + "'../x'.", "eval", "c.yaml", "--training-free", "--record", "../x")]
    [InlineData("--record: expected another name than 'bits'", "demo", "--record", "bits")]
    [InlineData("--record: expected no name with --write-data", "demo", "--write-data", "x", "--record", "x")]
    [InlineData("ablate.curve: expected steps in ascending order, found [3, 2]", "ablate", "MINE", "--set", "ablate.curve=[3,2]")]
    [InlineData("ablate.curve: expected steps of at most 20000, the length of the training, found "
        + "20001", "ablate", "MINE", "--set", "ablate.curve=[1,20001]")]
    [InlineData("ablate.curve: expected ", "ablate", "MINE", "--set", "ablate.curve=[0]")]
    public void BadInputIsSaidFirst(string expected, params string[] line)
    {
        string mine = SmallRun.OwnConfig(_data);
        Assert.Contains(expected, Run(2, [.. line.Select(argument => argument == "MINE" ? mine : argument)]));
        Assert.False(Directory.Exists(Results));
    }

    private string Run(int code, params string[] line)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int got = Application.Run(Results, line, output, error, false, TestContext.Current.CancellationToken);
        Assert.True(code == got, $"{got}: {error}");
        return code == 0 ? output.ToString() : error.ToString();
    }

    private static string Scores(LedgerEntry entry) =>
        JsonSerializer.Serialize(entry.Rows.SelectMany(row => row.Runs).Select(run => new { run.Seed, run.Steps, run.Scores, run.Curve }));

    private static void Edit(string file, Action<JsonObject> change)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        change(json);
        File.WriteAllText(file, json.ToJsonString());
    }

    /// <summary>Presses Ctrl-C when a text is written.</summary>
    private sealed class StoppingWriter(string when, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value!.Contains(when, StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        }
    }
}
