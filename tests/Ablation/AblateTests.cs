using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Ldvc.App.Cli;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Ablation;

/// <summary>`ldvc ablate` on a small folder of pictures, a few steps a run.</summary>
public sealed class AblateTests
{
    private static readonly string[] Few =
        ["train.iterations=2", "model.decoder.windows=2", "model.decoder.topk=3", "ablate.pictures=1", "ablate.route_pictures=1"];

    private static readonly string[] NoPictures = ["ablate.pictures=0", "ablate.route_pictures=0"];

    [Fact]
    public void AComparisonWritesTablesAndAReportAndRepeatsNothing()
    {
        using var data = new TinyData();
        string output = data.At("compared"), json = data.At("result.json");
        string[] line =
        [
            .. SmallRun.Verb(
                "ablate",
                SmallRun.OwnConfig(data),
                [.. Few, "ablate.topk=[1, 3]", "ablate.heads=[dot]", "ablate.penalties=[0, 0.3]", "ablate.queries=[0.9, 0.1]"]),
            "--rows", "zegclip,ldvc,training-free", "--seeds", "2", "--sweeps", "topk,penalties", "--out", output, "--json", json,
        ];
        string text = Done(line);
        Assert.Contains("3 rows, 2 values in sweeps: 6 inductive runs of 2 steps, in " + output, text);
        Assert.Contains("run 1 of 6: training-free, seed 0 (first run)", text);

        // How long the CLIP alone took says nothing about the runs that are trained.
        Assert.Matches(@"run 2 of 6: .*, seed 0 \(first run\)", text);
        Assert.Matches(@"run 6 of 6: ldvc, seed 1 \(ETA ", text);
        Assert.Equal(["ldvc", "topk-1", "zegclip"], Names(Path.Combine(output, "runs")));
        Assert.Equal(["inductive-seed-0", "inductive-seed-1"], Names(Path.Combine(output, "runs", "ldvc")));
        Assert.True(File.Exists(SmallRun.Checkpoint(Path.Combine(output, "runs", "zegclip", "inductive-seed-1"), 2)));

        string tables = File.ReadAllText(Path.Combine(output, "ablation.md"));
        Assert.Contains("6 of 6 runs of 2 steps.", tables);
        Assert.Matches(@"\| ZegCLIP \| [\d.]+ ± [\d.]+ \| [\d.]+ ± [\d.]+ \| [\d.]+ ± [\d.]+ \| [\d.]+ ± [\d.]+ \| 2 \|", tables);
        foreach (string caption in new[] { "without the seen penalty", "shuffled", "Gain over ZegCLIP", "Fragmentation", "Sweep over topk",
            "Sweep over the seen penalty, LDVC", "GMAC / window" })
        {
            Assert.Contains(caption, tables);
        }

        // The CLIP alone stands first, without seeds and no gain of its own.
        Assert.Matches(@"\| CLIP, no training \| [\d.]+ \| [\d.]+ \| [\d.]+ \| [\d.]+ \| - \|\n\| ZegCLIP ", tables);
        JsonElement result = Json(json), alone = result.GetProperty("rows")[0];
        Assert.Equal(
            ("training-free", JsonValueKind.Null, 1),
            (alone.GetProperty("key").GetString(), alone.GetProperty("paired_test").ValueKind, alone.GetProperty("runs").GetArrayLength()));
        Assert.Equal(alone.GetProperty("scores").ToString(), alone.GetProperty("no_penalty").ToString());
        Assert.Equal(Json(Path.Combine(output, "ablation.json")).ToString(), result.ToString());
        JsonElement row = result.GetProperty("rows")[2], first = row.GetProperty("runs")[0], second = row.GetProperty("runs")[1];
        Assert.Equal(
            ("ldvc", 0, 1), (row.GetProperty("key").GetString(), first.GetProperty("seed").GetInt32(), second.GetProperty("seed").GetInt32()));
        double a = first.GetProperty("scores").GetProperty("pixel_accuracy").GetDouble(),
            b = second.GetProperty("scores").GetProperty("pixel_accuracy").GetDouble();
        Assert.Equal(0.5 * (a + b), row.GetProperty("scores").GetProperty("pixel_accuracy").GetProperty("mean").GetDouble(), 1e-12);

        // The penalties 0 and 0.3 are scored anew; 0 is also the score without one, and the run's own scores.json holds the configured one.
        JsonElement penalties = first.GetProperty("penalties");
        Assert.Equal([0, 0.3], penalties.EnumerateArray().Select(p => p.GetProperty("penalty").GetDouble()));
        Assert.Equal(JsonSerializer.Serialize(first.GetProperty("no_penalty")), JsonSerializer.Serialize(penalties[0].GetProperty("scores")));
        JsonElement own = Json(Path.Combine(output, "runs", "ldvc", "inductive-seed-0", "scores.json")).GetProperty("scores");
        Assert.Equal(own.GetProperty("pixel_accuracy").GetDouble(), a, 1e-3);
        double pieces = first.GetProperty("pieces_per_object").GetDouble(), large = first.GetProperty("large_pieces_per_object").GetDouble();
        Assert.True(pieces >= 1 && pieces > large && large > 0);

        XDocument report = XDocument.Parse(File.ReadAllText(Path.Combine(output, "report.html")));
        string[] images = [.. report.Descendants("img").Select(i => i.Attribute("alt")!.Value)];
        Assert.Equal(["image", "truth", "CLIP, no training", "ZegCLIP", "LDVC (+ text prompts)", "layer 1", "layer 2", "layer 3", "image", "layer 1",
            "layer 2", "layer 3"], images);
        Assert.Contains("query at 90 % of the width and 10 % of the height", report.ToString());
        Assert.Contains("--rows zegclip,ldvc,training-free --seeds 2 --sweeps topk,penalties", report.ToString());
        Assert.All(report.Descendants("img"), i => Assert.StartsWith("data:image/", i.Attribute("src")!.Value));
        Assert.Equal(3, report.Descendants("svg").Count(e => (string?)e.Attribute("class") == "plot"));

        // Four windows, each of which can be asked in three layers; three of the four are chosen, so one of four fades.
        Assert.Equal(4, report.Descendants("input").Count());
        Assert.Equal(12, report.Descendants("label").Count());
        Assert.All(
            report.Descendants("g").Where(g => ((string?)g.Attribute("class") ?? "").StartsWith("map-", StringComparison.Ordinal)),
            g => Assert.Equal(1, g.Elements().First().Attribute("d")!.Value.Count(c => c == 'M')));

        // Again: nothing is trained or scored; a sweep more costs its own runs only.
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(output, "results", "zegclip-inductive-seed-0.json"));
        text = Done(line);
        Assert.Equal(6, text.Split("(done before)").Length - 1);
        Assert.DoesNotContain("step 1/2", text);
        text = Done([.. line.Select(argument => argument == "topk,penalties" ? "topk,heads,penalties" : argument)]);
        Assert.Equal(6, text.Split("(done before)").Length - 1);
        Assert.Contains("heads-dot, seed 0 (first run)", text);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(output, "results", "zegclip-inductive-seed-0.json")));

        // Other penalties: trained models are scored anew, not trained anew. Another way to use the CLIP alone: only that is scored anew.
        text = Done([.. line, "--set", "ablate.penalties=[0.5]"]);
        Assert.Equal(1, text.Split("(done before)").Length - 1);
        Assert.DoesNotContain("step 1/2", text);
        text = Done([.. line, "--set", "ablate.penalties=[0.5]", "--set", "training_free.attention=plain"]);
        Assert.Equal(5, text.Split("(done before)").Length - 1);
        Assert.NotEqual(alone.GetProperty("scores").ToString(), Json(json).GetProperty("rows")[0].GetProperty("scores").ToString());
    }

    [Theory]
    [InlineData("run 2 of 2")]
    [InlineData("step 1/4")]
    [InlineData("image 1/2")]
    [InlineData("picture 1/2")]
    public void AStoppedComparisonGoesOnAndEndsTheSame(string when)
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), whole = data.At("whole"), parts = data.At("parts");
        string[] Line(string output) =>
            [.. SmallRun.Verb("ablate", config, [.. Few, "train.iterations=4", "ablate.pictures=0"]), "--rows", "language-driven,route", "--seeds",
                "1", "--out", output];
        Done(Line(whole));

        using var stop = new CancellationTokenSource();
        using var output = new CancellingWriter(when, stop);
        using var error = new StringWriter();
        Assert.Equal(Application.Interrupted, Application.Run(Line(parts), output, error, cancellation: stop.Token));
        Assert.Contains("the same command goes on from here", output.ToString());
        Assert.False(File.Exists(Path.Combine(parts, "report.html")));

        Done(Line(parts));
        Assert.Equal(Scores(whole), Scores(parts));
        Assert.True(File.Exists(Path.Combine(parts, "report.html")));
    }

    [Fact]
    public void TwoRunsAtATimeGiveTheSameNumbers()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), alone = data.At("alone"), together = data.At("together");
        string[] Line(string output, params string[] more) =>
            [.. SmallRun.Verb("ablate", config, [.. Few, "ablate.pictures=0"]), "--rows", "zegclip,route,ldvc", "--seeds", "1", "--out",
                output, .. more];
        Done(Line(alone));
        string text = Done(Line(together, "--jobs", "2"));
        Assert.Contains("2 runs at a time, each with ", text);
        foreach (string row in new[] { "zegclip", "route", "ldvc" })
        {
            Assert.Contains($"[{row}, seed 0] step 2/2", text);
        }

        Assert.Equal(Scores(alone), Scores(together));
        Assert.Contains("training pictures/s, 2 runs at a time", File.ReadAllText(Path.Combine(together, "ablation.md")));
    }

    // What no option tells of: the lists of pictures, which classes are unseen, synonyms, the files beside the CLIP's weights.
    [Fact]
    public void OtherDataAreScoredAnewOrRefused()
    {
        using var data = new TinyData();
        string output = data.At("compared");
        string[] line =
        [
            .. SmallRun.Verb("ablate", SmallRun.OwnConfig(data), [.. Few, "train.iterations=1", "ablate.pictures=0", "ablate.route_pictures=0"]),
            "--rows", "language-driven", "--seeds", "1", "--out", output,
        ];
        Done(line);
        Assert.Contains("(done before)", Done(line));
        data.Text("f\ne\n", "mine", "val.txt");
        string text = Done(line);
        Assert.DoesNotContain("(done before)", text);
        Assert.DoesNotContain("step 1/1", text);
        foreach ((string file, string content, string expected) in new[]
        {
            ("unseen.txt", "dog\n", "expected class 'dog' to be seen, as "),
            ("train.txt", "b\na\nc\nd\n", "expected the pictures, in their order, that "),
            ("classes.txt", "cat; kitten\ndog\nblue sky\ntraffic cone\n", "class 0: expected 'cat', as "),
        })
        {
            string before = File.ReadAllText(data.At("mine", file));
            data.Text(content, "mine", file);
            (int code, _, string error) = CommandLine.Run(line);
            Assert.Equal(2, code);
            Assert.Contains(expected, error);
            Assert.Contains("set it back or choose another ablate.out or --out.", error);
            data.Text(before, "mine", file);
        }

        Assert.Contains("(done before)", Done(line));

        // Other ways to score cost no training; another training is refused before anything is, and before ablation.yaml says so.
        text = Done([.. line, "--set", "eval.seen_penalty=0.5", "--set", "eval.limit=1"]);
        Assert.DoesNotContain("(done before)", text);
        Assert.DoesNotContain("step 1/1", text);
        string kept = File.ReadAllText(Path.Combine(output, "ablation.yaml"));
        string[] other = [.. line.Select(argument => argument == "language-driven" ? "zegclip,language-driven" : argument), "--set", "train.lr=0.5"];
        Assert.Contains("train.lr: expected ", Failed(other));
        Assert.Equal(["language-driven"], Names(Path.Combine(output, "runs")));
        Assert.Equal(kept, File.ReadAllText(Path.Combine(output, "ablation.yaml")));
        Assert.Contains("ablate.jobs: expected at most ", CommandLine.Refuses([.. line, "--jobs", "1000"]));
    }

    [Fact]
    public void EverySplitIsTrainedAndScoredAsItsOwn()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), output = data.At("splits"), alone = data.At("alone");
        File.WriteAllText(data.At("cats.txt"), "cat\n\n");
        File.WriteAllText(data.At("dogs.txt"), " dog \r\ntraffic cone\n");
        string[] Line(string folder, string seeds, params string[] sets) =>
            [.. SmallRun.Verb("ablate", config, [.. Few, .. sets]), "--rows", "training-free,zegclip,ldvc", "--seeds", seeds, "--out", folder];
        string splits = $"ablate.splits=[{data.At("cats.txt")}, {data.At("dogs.txt")}]";
        string text = Done(Line(output, "2", splits));
        Assert.Contains("run 3 of 10: zegclip, split cats, seed 0 (first run)", text);
        Assert.Contains("run 10 of 10: ldvc, split dogs, seed 1 (", text);
        Assert.Equal(
            ["inductive-split-cats-seed-0", "inductive-split-cats-seed-1", "inductive-split-dogs-seed-0", "inductive-split-dogs-seed-1"],
            Names(Path.Combine(output, "runs", "ldvc")));

        // What a split scores is what a comparison with data.unseen scores.
        Done(Line(alone, "1", "data.unseen=[dog, traffic cone]"));
        JsonElement[] runs = [.. Json(Path.Combine(output, "ablation.json")).GetProperty("rows")[2].GetProperty("runs").EnumerateArray()];
        Assert.Equal(
            ["cats 0", "cats 1", "dogs 0", "dogs 1"], runs.Select(r => $"{r.GetProperty("split").GetString()} {r.GetProperty("seed").GetInt32()}"));
        JsonElement same = Json(Path.Combine(alone, "ablation.json")).GetProperty("rows")[2].GetProperty("runs")[0];
        Assert.Equal(JsonValueKind.Null, same.GetProperty("split").ValueKind);
        foreach (string number in new[] { "scores", "shuffled", "pieces_per_object" })
        {
            Assert.Equal(same.GetProperty(number).ToString(), runs[2].GetProperty(number).ToString());
        }

        string tables = File.ReadAllText(Path.Combine(output, "ablation.md"));
        Assert.Contains("mean ± standard deviation over splits and seeds", tables);
        Assert.Contains("paired by split and seed", tables);
        Assert.Matches(@"\| ZegCLIP \| [^|]+\|[^|]+\|[^|]+\|[^|]+\| 4 \|", tables);
        Assert.Matches(
            @"\*\*Split by split\*\*(.|\n)*\| CLIP, no training \| cats \| [^|]+\|[^|]+\|[^|]+\|[^|]+\| - \|\n"
                + @"\| ZegCLIP \| cats \| [^|]+\|[^|]+\|[^|]+\|[^|]+\| 2 \|\n"
                + @"\| LDVC \(\+ text prompts\) \| cats (.|\n)*\| ZegCLIP \| dogs ",
            tables);
        double[] gains = [.. runs.Zip(Json(Path.Combine(output, "ablation.json")).GetProperty("rows")[1].GetProperty("runs").EnumerateArray(),
            (l, z) => Accuracy(l) - Accuracy(z))];
        Assert.Contains($"| LDVC (+ text prompts) | {Ldvc.Lab.Ablation.SampleStatistics.Of(gains).Text()} |", tables);

        // Again: nothing is trained.
        Assert.Equal(10, Done(Line(output, "2", splits)).Split("(done before)").Length - 1);

        static double Accuracy(JsonElement run) => run.GetProperty("scores").GetProperty("pixel_accuracy").GetDouble();
    }

    [Theory]
    [InlineData("run 2 of 2")]
    [InlineData("step 1/4")]
    public void SeveralRunsStopTogetherAndGoOn(string when)
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), whole = data.At("whole"), parts = data.At("parts");
        string[] Line(string output) =>
            [.. SmallRun.Verb("ablate", config, [.. Few, "train.iterations=4", "ablate.pictures=0"]), "--rows", "language-driven,route", "--seeds",
                "1", "--jobs", "2", "--out", output];
        Done(Line(whole));
        using var stop = new CancellationTokenSource();
        using var output = new CancellingWriter(when, stop);
        using var error = new StringWriter();
        Assert.Equal(Application.Interrupted, Application.Run(Line(parts), output, error, cancellation: stop.Token));
        Assert.Contains("the same command goes on from here", output.ToString());
        Done(Line(parts));
        Assert.Equal(Scores(whole), Scores(parts));
    }

    [Fact]
    public void TheTransductiveSettingStartsFromInductiveRunsThatAreShared()
    {
        using var data = new TinyData();
        string output = data.At("both");
        string[] line =
            [.. SmallRun.Verb("ablate", SmallRun.OwnConfig(data), [.. Few, "train.iterations=4"]), "--rows", "zegclip", "--seeds", "1",
                "--out", output];
        Done(line);
        string inductive = File.ReadAllText(Path.Combine(output, "ablation.md"));
        string text = Done([.. line, "--set", "train.setting=transductive", "--set", "train.transductive.iterations=2"]);
        Assert.Contains("transductive runs of 2 steps", text);
        Assert.Contains("starting from " + SmallRun.Checkpoint(Path.Combine(output, "runs", "zegclip", "inductive-seed-0"), 2), text);
        Assert.DoesNotContain("step 1/4", text);
        Assert.DoesNotContain("seen penalty", File.ReadAllText(Path.Combine(output, "ablation-transductive.md")));
        Assert.Equal(inductive, File.ReadAllText(Path.Combine(output, "ablation.md")));
        Assert.True(File.Exists(Path.Combine(output, "report-transductive.html")));

        text = Done([.. line, "--set", "train.setting=full"]);
        Assert.Contains("full training of", text);
        Assert.Equal(["full-seed-0", "inductive-seed-0", "transductive-seed-0"], Names(Path.Combine(output, "runs", "zegclip")));
    }

    [Fact]
    public void ACheckpointThatIsNamedIsWhereTransductiveRunsStart()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), output = data.At("compared"), from = SmallRun.Checkpoint(run, 1);
        SmallRun.Train(config, run, [.. Few.Where(setting => setting.StartsWith("model.", StringComparison.Ordinal)), "train.iterations=2"]);
        string[] Line(string rows, params string[] more) =>
        [
            .. SmallRun.Verb("ablate", config, [.. Few, .. NoPictures, "train.setting=transductive", "train.transductive.iterations=1", .. more]),
            "--rows", rows, "--seeds", "1", "--out", output,
        ];
        string text = Done(Line("ldvc", $"train.transductive.from={from}"));
        Assert.Contains($"starting from {from} (step 1)", text);
        Assert.Equal(["transductive-seed-0"], Names(Path.Combine(output, "runs", "ldvc")));
        Assert.Contains("(done before)", Done(Line("ldvc", $"train.transductive.from={from}")));

        // A checkpoint is one model's, and another one is another comparison.
        string refused = CommandLine.Refuses(Line("zegclip,ldvc", $"train.transductive.from={from}"));
        Assert.Contains($"train.transductive.from: expected a checkpoint that all rows can start from; row zegclip: model.", refused);
        Assert.Contains("--set train.transductive.from=null each run starts from the half-way checkpoint of an inductive run of its own.", refused);
        Assert.Contains(
            "none.safetensors: no such file; with ", CommandLine.Refuses(Line("ldvc", $"train.transductive.from={data.At("none.safetensors")}")));

        // Splits bring unseen classes of their own, whatever the data set's are; the checkpoint must not have seen them.
        File.Delete(data.At("mine", "unseen.txt"));
        File.WriteAllText(data.At("cats.txt"), "cat\n");
        File.WriteAllText(data.At("cones.txt"), "traffic cone\n");
        Assert.Contains(
            $"had masks of 'cat'", CommandLine.Refuses(Line("ldvc", $"train.transductive.from={from}", $"ablate.splits=[{data.At("cats.txt")}]")));
        text = Done(Line("ldvc", $"train.transductive.from={SmallRun.Checkpoint(run, 2)}", $"ablate.splits=[{data.At("cones.txt")}]"));
        Assert.Contains("ldvc, split cones, seed 0 (first run)", text);
    }

    // What a stopped run has gone past cannot be scored any more: that is said before the rest of it is trained.
    [Fact]
    public void ACurveThatARunHasGonePastIsMissedAtOnce()
    {
        using var data = new TinyData();
        string output = data.At("compared");
        string[] line =
        [
            .. SmallRun.Verb(
                "ablate",
                SmallRun.OwnConfig(data),
                [.. Few, .. NoPictures, "train.iterations=4", "ablate.rows=[route]", "ablate.seeds=1", "ablate.topk=[1]", "ablate.penalties=[0]"]),
            "--out", output, "--sweeps", "none",
        ];
        using var stop = new CancellationTokenSource();
        using var text = new CancellingWriter("ckpt-00000002", stop);
        Assert.Equal(Application.Interrupted, Application.Run(line, text, TextWriter.Null, cancellation: stop.Token));
        string kept = File.ReadAllText(Path.Combine(output, "ablation.yaml"));
        Assert.Contains("expected scores at step 1, as ablate.curve says, found none", Failed([.. line, "--set", "ablate.curve=[1, 4]"]));
        Assert.Equal(kept, File.ReadAllText(Path.Combine(output, "ablation.yaml")));
        Assert.False(File.Exists(SmallRun.Checkpoint(Path.Combine(output, "runs", "route", "inductive-seed-0"), 4)));

        // Moved, it goes on where it is, without the sweeps that were left out.
        string moved = data.At("moved");
        Directory.Move(output, moved);
        string rest = Done(["ablate", Path.Combine(moved, "ablation.yaml"), "--set", "ablate.curve=[]", "--threads", "1"]);
        Assert.Contains($"1 rows, 0 values in sweeps: 1 inductive runs of 4 steps, in {moved}", rest);
        Assert.True(File.Exists(Path.Combine(moved, "report.html")));
        Assert.False(Directory.Exists(output));
    }

    [Fact]
    public void BadInputIsFoundBeforeAnythingIsTrained()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), output = data.At("out");
        string Error(params string[] more)
        {
            string[] place = more.Contains("--out") ? [] : ["--out", output];
            (int code, _, string error) = CommandLine.Run([.. SmallRun.Verb("ablate", config, Few), .. place, .. more]);
            Assert.Equal(2, code);
            Assert.False(Directory.Exists(Path.Combine(output, "runs")));
            return error;
        }

        Assert.Contains("ablate.seeds: expected a whole number from 1 to 100, found 'few'", Error("--seeds", "few"));
        Assert.Contains("ablate.rows: expected a list out of", Error("--rows", "zegclip,vit"));
        Assert.Contains("model.prompts.text is 9, expected at most 4", Error("--rows", "zegclip", "--set", "ablate.text_prompts=[9]"));
        Assert.Contains("ablate.jobs is 2, expected 1 on ", Error("--jobs", "2", "--device", "simulator"));

        File.WriteAllText(data.At("birds.txt"), "bird\n");
        File.WriteAllText(data.At("none.txt"), "\n \n");
        Directory.CreateDirectory(data.At("more"));
        File.WriteAllText(data.At("more", "birds.txt"), "cat\n");
        Assert.Contains("birds.txt: 'bird' is not a class", Error("--set", $"ablate.splits=[{data.At("birds.txt")}]"));
        Assert.Contains("none.txt: 0 class names, expected 1 to 65535", Error("--set", $"ablate.splits=[{data.At("none.txt")}]"));
        Assert.Contains(
            "missing.txt: file not found, expected the names of the classes, one a line",
            Error("--set", $"ablate.splits=[{data.At("missing.txt")}]"));
        Assert.Contains("would both be split 'birds'", Error("--set", $"ablate.splits=[{data.At("birds.txt")}, {data.At("more", "birds.txt")}]"));

        // What a killed process may leave of ablation.yaml is no reason to refuse.
        File.WriteAllText(data.At("killed", ".ablation.yaml.1-2.tmp"), "");
        Assert.Contains("model.prompts.text is 9", Error("--rows", "zegclip", "--set", "ablate.text_prompts=[9]", "--out", data.At("killed")));
        File.WriteAllText(data.At("other", "file.txt"), "mine");
        Assert.Contains("expected an empty folder or that of a comparison", Error("--out", data.At("other")));
    }

    private static string Done(string[] line)
    {
        (int code, string text, string error) = CommandLine.Run(line);
        Assert.Equal((0, ""), (code, error));
        return text;
    }

    // Of a comparison that had said something before.
    private static string Failed(string[] line)
    {
        (int code, _, string error) = CommandLine.Run(line);
        Assert.Equal(2, code);
        return error;
    }

    private static string Scores(string output) => string.Join('\n', Json(Path.Combine(output, "ablation.json")).GetProperty("rows").EnumerateArray()
        .SelectMany(row => row.GetProperty("runs").EnumerateArray())
        .Select(
            run => $"{run.GetProperty("variant")} {run.GetProperty("scores")} {run.GetProperty("shuffled")} {run.GetProperty("pieces_per_object")}"));

    private static string?[] Names(string folder) => [.. Directory.GetDirectories(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)];

    private static JsonElement Json(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    /// <summary>Presses Ctrl-C when a text is written.</summary>
    private sealed class CancellingWriter(string when, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value!.Contains(when, StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        }

        public override Encoding Encoding => Encoding.UTF8;
    }
}
