using System.Text.Json.Nodes;
using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Imaging.Writing;
using Ldvc.Inference;
using Ldvc.Tensors;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>`ldvc segment` and `ldvc ablate` as jobs: the files of one process, whoever wrote them.</summary>
public sealed class VerbJobTests
{
    [Fact]
    public void AFolderIsLabelledByAnyNumberOfProcesses()
    {
        using var data = new TinyData();
        string run = data.At("run"), pictures = Directory.CreateDirectory(data.At("in")).FullName;
        SmallRun.Train(SmallRun.OwnConfig(data), run, "train.iterations=1", "model.head=dot", "model.adapter_init=identity");
        for (int i = 0; i < 6; i++)
        {
            ImageWriter.WritePng(TinyData.Pattern(40 + i, 30), Path.Combine(pictures, $"p{i}.png"));
        }

        File.WriteAllText(Path.Combine(pictures, "broken1.png"), "no picture");
        File.WriteAllText(Path.Combine(pictures, "broken2.png"), "no picture");
        string expected = "";
        foreach (int size in new[] { 1, 2, 3, 9 })
        {
            string output = data.At($"out{size}"), json = data.At($"{size}.json");
            var texts = new StringWriter[size];
            string?[] said = Ranks.Run(size, job =>
            {
                try
                {
                    SegmentVerb.Run(Options(pictures, run, output, json, job, texts[job.Group.Rank] = new StringWriter()));
                    return null;
                }
                catch (InputException e)
                {
                    return e.Message;
                }
            });
            Assert.Contains("broken1.png: ", Assert.Single(said.Distinct()));
            Assert.EndsWith(" (and 1 more of the 8 images)", said[0]);
            Assert.Contains("6 images in ", texts[0].ToString());
            Assert.Equal(2, texts[0].ToString().Split('\n').Count(line => line.StartsWith("  ", StringComparison.Ordinal)));
            string tree = Tree(output) + File.ReadAllText(json);
            expected = size == 1 ? tree : expected;
            Assert.Equal(expected, tree);
        }

        Assert.Contains("coco.json", expected);

        // What is there is left out, by one process's look at the folder.
        var again = new StringWriter();
        Ranks.Run(2, job => SegmentVerb.Run(Options(Path.Combine(pictures, "p*.png"), run, data.At("out1"), null, job, again, skip: true)));
        Assert.Contains("6 of 6 images have results already", again.ToString());
    }

    [Fact]
    public void AFolderThatIsStoppedByOneProcessIsStoppedByAll()
    {
        using var data = new TinyData();
        string run = data.At("run"), pictures = Directory.CreateDirectory(data.At("in")).FullName;
        SmallRun.Train(SmallRun.OwnConfig(data), run, "train.iterations=1");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), Path.Combine(pictures, "p.png"));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Equal([true, true], Ranks.Run(
            2,
            job =>
            {
                Assert.Throws<JobStoppedException>(() => SegmentVerb.Run(Options(pictures, run, data.At("out"), null, job, TextWriter.Null)));
                return job.MustStop;
            },
            [default, stop.Token]));
    }

    // Files of two nodes that have the same name: a list of names, a checkpoint.
    [Fact]
    public void AFolderIsNotLabelledByTwoModels()
    {
        using var data = new TinyData();
        string run = data.At("run"), other = data.At("other"), pictures = Directory.CreateDirectory(data.At("in")).FullName;
        SmallRun.Train(SmallRun.OwnConfig(data), run, "train.iterations=1");
        SmallRun.Train(SmallRun.OwnConfig(data), other, "train.iterations=1", "train.seed=1");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), Path.Combine(pictures, "p.png"));
        SegmentOptions Of(JobMember job, string checkpoint) => Options(pictures, checkpoint, data.At("out"), null, job, TextWriter.Null);
        Assert.StartsWith(
            "rank 1: the list of class names is zebra, cat, but on rank 0 it is cat, zebra, blue sky; expected the same on all 2 processes.",
            Ranks.Refuse(2, job => SegmentVerb.Run(
                job.IsFirst ? Of(job, run) : Of(job, run) with { Classes = new ClassList(["zebra", "cat"], "test") })));
        Assert.StartsWith(
            "rank 1: the digest of weights, windows and thresholds is ", Ranks.Refuse(2, job => SegmentVerb.Run(Of(job, job.IsFirst ? run : other))));
        Assert.False(Directory.Exists(data.At("out")));
    }

    [Fact]
    public void ARunsOfAComparisonAreDealtOut()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data);
        string[] settings = [.. SmallRun.Settings, "train.iterations=2", "model.decoder.windows=2", "model.decoder.topk=3", "ablate.pictures=0",
            "ablate.route_pictures=0"];
        string expected = "";
        foreach (int size in new[] { 1, 2 })
        {
            string output = data.At($"compared{size}"), json = data.At($"{size}.json");
            var texts = new StringWriter[size];
            Ranks.Run(size, job => AblateVerb.Run(new AblateOptions(
                config,
                settings,
                "1",
                "zegclip,language-driven,route",
                [],
                null,
                output,
                null,
                Common(job, json, texts[job.Group.Rank] = new StringWriter()))));
            Assert.Contains("3 of 3 runs of 2 steps.", File.ReadAllText(Path.Combine(output, "ablation.md")));
            Assert.True(File.Exists(Path.Combine(output, "report.html")));
            Assert.Equal(3, texts[0].ToString().Split('\n').Count(line => line.StartsWith("run ", StringComparison.Ordinal)));
            JsonNode result = JsonNode.Parse(File.ReadAllText(json))!;
            foreach (JsonNode? row in result["rows"]!.AsArray())
            {
                // What the clock says differs.
                row!.AsObject().Remove("cost");
                row["runs"]![0]!.AsObject().Remove("train_images_per_second");
                row["runs"]![0]!.AsObject().Remove("fingerprint");
            }

            expected = size == 1 ? result.ToJsonString() : expected;
            Assert.Equal(expected, result.ToJsonString());
        }
    }

    // Two nodes with the same configuration and other files: one table of both would be of neither.
    [Theory]
    [InlineData("val.txt", "f\ne\n", "rank 1: the list of validation pictures is ")]
    [InlineData(
        "unseen.txt", "dog\n", "rank 1: the list of seen training classes is cat, blue sky, traffic cone, but on rank 0 it is cat, dog, blue sky;")]
    public void AComparisonOfOtherDataIsRefused(string file, string content, string expected)
    {
        using var data = new TinyData();
        using var other = new TinyData();
        string config = SmallRun.OwnConfig(data), root = RealFormats.Folder(other);
        other.Text(content, "mine", file);
        string[] first = [.. SmallRun.Settings, "train.iterations=1", "model.decoder.windows=2", "model.decoder.topk=3"];
        string[] second = [.. first, $"data.root={root}"];
        Assert.StartsWith(expected, Ranks.Refuse(2, job => AblateVerb.Run(new AblateOptions(
            config, job.IsFirst ? first : second, "1", "route", [], null, data.At("out"), null, Common(job, null, TextWriter.Null)))));
        Assert.False(Directory.Exists(data.At("out", "runs")));
        Assert.StartsWith(expected.Replace("training", "validation", StringComparison.Ordinal), Ranks.Refuse(2, job => EvalVerb.Run(new EvalOptions(
            config, null, job.IsFirst ? first : second, null, null, Precision.Fp32, Common(job, null, TextWriter.Null)))));
    }

    private static SegmentOptions Options(
        string images, string run, string output, string? json, JobMember job, TextWriter text, bool skip = false) => new(
        [images], run, new ClassList(["cat", "zebra", "blue sky"], "test"), 0, null, null, null, new WindowOptions(null, null, null, null, null),
        SegmentParts.Overlay | (skip ? SegmentParts.None : SegmentParts.Coco), skip, Precision.Fp32, output, Common(job, json, text));

    private static CommonOptions Common(JobMember job, string? json, TextWriter text) =>
        new(new VerbHost(text, TextWriter.Null, false, job.Cancellation), DeviceChoice.Cpu, 1, null, json) { Member = job };

    private static string Tree(string folder) => string.Join(
        '\n', Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(path => $"{Path.GetRelativePath(folder, path)} "
            + $"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}")) + "\n";
}
