using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.Imaging.Writing;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Ldvc.Tests.Web;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>What the labels of a picture depend on: the checkpoint's threshold, and which results --skip-existing takes.</summary>
public sealed class SegmentSettingsTests : IDisposable
{
    private readonly TinyData _data = new();

    public SegmentSettingsTests() => ImageWriter.WritePng(TinyData.Pattern(40, 30), _data.At("a.png"));

    private string Json => _data.At("out", "a.json");

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task TheCheckpointsThresholdCountsWhereNoneIsAskedFor()
    {
        string run = _data.At("run"), full = _data.At("full");
        SmallRun.Train(SmallRun.OwnConfig(_data), run, "train.iterations=1", "eval.background=1");
        Assert.Contains("pixels below 1 get no class, as eval.background of ", Segment(run));
        Assert.Equal(1, Background());
        Assert.DoesNotContain("eval.background", Segment(run, "--background", "0"));
        Assert.Equal(0, Background());
        await using (Served server = await Served.StartAsync(SmallRun.Checkpoint(run, 1)))
        {
            byte[] picture = await File.ReadAllBytesAsync(_data.At("a.png"), TestContext.Current.CancellationToken);
            Assert.Equal(1, (await server.SegmentAsync(picture, "cat, dog")).GetProperty("background").GetDouble());
            Assert.Equal(0, (await server.SegmentAsync(picture, "cat, dog", "0")).GetProperty("background").GetDouble());
        }

        // A penalty that would be subtracted from nothing.
        SmallRun.Train(SmallRun.OwnConfig(_data), full, "train.iterations=1", "train.setting=full");
        Assert.Contains("--penalty: expected a checkpoint of inductive training, found ", Refuses("--checkpoint", full, "--penalty", "0.3"));
        Assert.Contains("full training", Refuses("--checkpoint", full, "--penalty", "0.3"));
        Assert.Contains("a CLIP alone, which saw no masks", Refuses("--clip", TinyClip.Folder, "--penalty", "0.3"));
        Segment(full, "--penalty", "0");
    }

    [Fact]
    public void ResultsOfOtherSettingsAreMadeAnew()
    {
        string run = _data.At("run");
        SmallRun.Train(SmallRun.OwnConfig(_data), run, "train.iterations=2", "train.checkpoint_every=1", "train.keep=9");
        string first = SmallRun.Checkpoint(run, 1), second = SmallRun.Checkpoint(run, 2);
        Segment(first);
        Known(Segment(first, "--skip-existing"), true);
        Known(Segment(first, "--batch", "2", "--skip-existing"), true);
        Known(Segment(second, "--skip-existing"), false);
        foreach (string options in new[]
        {
            "--background 0.5", "--size 80", "--stride 40", "--window 48", "--penalty 0.3", "--ignore-classes wall", "--ignore-classes floor",
            "--classes cat;kitten,dog", "--classes dog,cat",
        })
        {
            Known(Segment(first, [.. options.Split(' '), "--skip-existing"]), false);
        }

        // Files of an earlier version do not say.
        JsonObject old = JsonNode.Parse(File.ReadAllText(Json))!.AsObject();
        Assert.True(old.Remove("settings"));
        File.WriteAllText(Json, old.ToJsonString());
        Known(Segment(first, "--classes", "dog,cat", "--skip-existing"), false);
        Known(Segment(first, "--classes", "dog,cat", "--skip-existing"), true);

        // A CLIP alone, and the files beside its weights.
        string clip = _data.At("clip", "x");
        foreach (string file in Directory.GetFiles(TinyClip.Folder))
        {
            File.Copy(file, Path.Combine(Path.GetDirectoryName(clip)!, Path.GetFileName(file)));
        }

        string[] free = ["--clip", Path.GetDirectoryName(clip)!, "--size", "96", "--window", "96", "--stride", "96", "--template", "a {class}"];
        Known(Run([.. free, "--skip-existing"]), false);
        Known(Run([.. free, "--skip-existing"]), true);
        Known(Run([.. free, "--attention", "plain", "--skip-existing"]), false);
        Known(Run([.. free, "--template", "the {class}", "--skip-existing"]), false);
        Known(Run([.. free, "--skip-existing"]), false);
        File.WriteAllText(_data.At("clip", "preprocessor_config.json"), """{ "image_mean": [0.5, 0.5, 0.5] }""");
        Known(Run([.. free, "--skip-existing"]), false);
    }

    private static void Known(string text, bool known) => Assert.Contains(
        known ? "1 of 1 images have results already" : "0 of 1 images have results already; 1 have some of other settings", text);

    private double Background() => JsonDocument.Parse(File.ReadAllText(Json)).RootElement.GetProperty("background").GetDouble();

    private string Segment(string checkpoint, params string[] more) => Run(["--checkpoint", checkpoint, .. more]);

    private string Run(string[] options)
    {
        (int code, string text, string error) = CommandLine.Run(Line(options));
        Assert.Equal((0, ""), (code, error));
        return text;
    }

    private string Refuses(params string[] options) => CommandLine.Refuses(Line(options));

    private string[] Line(string[] options) =>
    [
        "segment", _data.At("a.png"), "--out", _data.At("out"), "--threads", "1", .. options,
        .. options.Contains("--classes") ? Array.Empty<string>() : ["--classes", "cat,dog"],
    ];
}
