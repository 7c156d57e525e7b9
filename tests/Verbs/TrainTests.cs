using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>`ldvc train` and `ldvc eval` on the benchmarks' own layouts, in every setting and with every published configuration.</summary>
public sealed class TrainTests
{
    public static TheoryData<string, string> PublishedConfigs()
    {
        var all = new TheoryData<string, string>();
        foreach (string set in new[] { "voc", "coco-stuff", "context" })
        {
            foreach (string name in new[] { "inductive", "full", "zegclip", "language-driven", "self-attention", "route", "ldvc" })
            {
                all.Add(set, name);
            }
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(PublishedConfigs))]
    public void EveryPublishedConfigurationTrainsAndScores(string set, string name)
    {
        using var data = new TinyData();
        string run = data.At("run");
        string text = SmallRun.Train(SmallRun.Config($"{set}/{name}"), run, "data.root=" + Root(data, set), "train.iterations=2");
        Assert.Contains("2 steps of 2 pictures, seed 0", text);
        Assert.True(File.Exists(SmallRun.Checkpoint(run, 2)));
        JsonElement scores = Json(Path.Combine(run, "scores.json"));
        Assert.Equal(2, scores.GetProperty("images").GetInt32());
        Assert.Equal(ClassCount(set), scores.GetProperty("scores").GetProperty("classes").GetArrayLength());
        LdvcConfig own = ConfigLoader.Load(Path.Combine(run, "config.yaml"));
        Assert.Equal(name == "zegclip" ? DecoderKind.ClassQuery : DecoderKind.VisionQuery, own.Model.Decoder.Kind);
    }

    [Theory]
    [InlineData("voc")]
    [InlineData("coco-stuff")]
    [InlineData("context")]
    public void TransductiveTrainingStartsFromTheHalfWayCheckpoint(string set)
    {
        using var data = new TinyData();
        string root = "data.root=" + Root(data, set), first = data.At("inductive"), second = data.At("transductive");
        SmallRun.Train(SmallRun.Config($"{set}/inductive"), first, root);
        string from = SmallRun.Checkpoint(first, 2);
        string text = SmallRun.Train(
            SmallRun.Config($"{set}/transductive"),
            second,
            root,
            $"train.transductive.from={from}",
            "train.transductive.iterations=2",
            "train.lr=1e-12",
            "train.min_lr=0");
        Assert.Contains($"starting from {from} (step 2)", text);

        // The run's folder stands for that checkpoint, not for its newest.
        Assert.Equal(from, RunCheckpoint.HalfWay(first));
        Assert.Equal(from, RunCheckpoint.HalfWay(from));
        Assert.Contains("without config.yaml", Assert.Throws<InputException>(() => RunCheckpoint.HalfWay(data.Root)).Message);

        // With next to no learning rate the weights are those it started from, and nothing else of them is taken over.
        using var start = TensorArchive.Open(from);
        using var end = TensorArchive.Open(SmallRun.Checkpoint(second, 2));
        Assert.Equal("2", end.Metadata["step"]);
        foreach (string name in start.Entries.Keys.Where(n => !n.StartsWith("optimizer.", StringComparison.Ordinal)))
        {
            Assert.Equal(start.ReadFloat32(name), end.ReadFloat32(name), (a, b) => Math.Abs(a - b) <= 1e-9f);
        }
    }

    [Fact]
    public void TheRunFolderHoldsEverything()
    {
        using var data = new TinyData();
        string run = data.At("run"), json = data.At("result.json");
        string text = SmallRun.Train(SmallRun.OwnConfig(data), run, "train.eval_every=2", "train.checkpoint_every=1", "train.keep=1", "--json", json);
        Assert.Contains("mine/train: 4 pictures, 3 seen and 1 unseen classes", text);
        Assert.Matches(@"step 1/4  loss [\d.]+  lr 2e-10", text);
        Assert.Matches(@"step 4/4  loss [\d.]+  lr \S+  \S+ images/s  took", text);
        Assert.Matches(@"step 2: pAcc \S+  mIoU\(S\) \S+  mIoU\(U\) \S+  hIoU \S+  mIoU \S+", text);
        Assert.Matches(@"traffic cone  unseen +[\d.-]+ +[\d.-]+ +\d+", text);

        // The newest one, and the half-way one for transductive training.
        Assert.Equal(
            ["ckpt-00000002.safetensors", "ckpt-00000004.safetensors"],
            Directory.GetFiles(Path.Combine(run, "checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["checkpoints", "config.yaml", "events.out.tfevents", "metrics.jsonl", "scores.json"],
            Directory.GetFileSystemEntries(run).Select(p => Path.GetFileName(p)
                .Replace("events.out.tfevents.", "events.out.tfevents|", StringComparison.Ordinal).Split('|')[0]).Order(StringComparer.Ordinal));

        JsonElement[] lines = [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal([1, 2, 2, 3, 4, 4], lines.Select(l => l.GetProperty("step").GetInt32()));
        JsonElement step = lines[0];
        double total = step.GetProperty("loss").GetDouble(), focal = step.GetProperty("focal").GetDouble(),
            dice = step.GetProperty("dice").GetDouble();
        Assert.Equal(total, (100 * focal) + dice, 1e-4 * total);
        Assert.Equal(["step", "pixel_accuracy", "miou_seen", "miou_unseen", "hiou", "miou"], lines[2].EnumerateObject().Select(p => p.Name));

        JsonElement result = Json(json), scores = Json(Path.Combine(run, "scores.json"));
        Assert.True(result.GetProperty("finished").GetBoolean());
        Assert.Equal(4, result.GetProperty("steps_here").GetInt32());
        Assert.Equal(SmallRun.Checkpoint(run, 4), result.GetProperty("checkpoint").GetString());
        Assert.Equal(scores.GetProperty("scores").ToString(), result.GetProperty("scores").ToString());
    }

    [Fact]
    public void EveryKindOfPictureTrains()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data);
        string[] kinds = ["exif6.jpg", "grey.jpg", "cmyk.jpg", "rgba.png", "grey16.png", "palettealpha.png", "lossy.webp", "rgb.bmp"];
        var ids = new List<string>();
        foreach (string kind in kinds)
        {
            string id = kind.Replace('.', '-');
            ids.Add(id);
            File.Copy(ImageFixtures.Path_(kind), data.At("mine", "images", id + Path.GetExtension(kind)));

            // The mask has the size of the picture as it is seen: upright.
            (int width, int height) = kind == "exif6.jpg" ? (16, 32) : (25, 17);
            data.Mask(TinyData.Labels(width, height, 0, 1, 2, 3, 255), "mine", "masks", id + ".png");
        }

        data.Picture(1, 1, "mine", "images", "dot.png");
        data.Mask(TinyData.Labels(1, 1, 3), "mine", "masks", "dot.png");
        data.Picture(400, 5, "mine", "images", "wide.png");
        data.Mask(TinyData.Labels(400, 5, 0, 3), "mine", "masks", "wide.png");
        data.Text(string.Join('\n', ids.Append("dot").Append("wide")) + "\n", "mine", "train.txt");
        string text = SmallRun.Train(config, data.At("run"), "train.iterations=5", "data.val_part=train");
        Assert.Contains("mine/train: 10 pictures", text);
        Assert.Contains("image 10/10", text);
    }

    [Fact]
    public void EvalGivesTheScoresOfTheRun()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), json = data.At("eval.json");
        SmallRun.Train(config, run);
        string[] eval = [.. SmallRun.Verb("eval", config), "--checkpoint", SmallRun.Checkpoint(run, 4), "--json", json];
        (int code, string text, string error) = CommandLine.Run(eval);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("step 4, inductive; 2 pictures of", text);
        Assert.Equal(Json(Path.Combine(run, "scores.json")).GetProperty("scores").ToString(), Json(json).GetProperty("scores").ToString());

        // The setting is the checkpoint's: another one in the configuration changes nothing.
        (code, string other, _) = CommandLine.Run([.. eval, "--set", "train.setting=full"]);
        Assert.Equal(0, code);
        Assert.Equal(Rows(text), Rows(other));

        // Fewer pictures, and the part to validate on.
        (_, text, _) = CommandLine.Run([.. eval, "--set", "eval.limit=1"]);
        Assert.Contains("1 pictures of", text);
        (_, text, _) = CommandLine.Run([.. eval, "--set", "data.val_part=train"]);
        Assert.Contains("4 pictures of", text);
    }

    [Fact]
    public void EvalSaysWhenUnseenClassesWereShown()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), json = data.At("eval.json");
        SmallRun.Train(config, run, "train.iterations=1", "data.unseen=[dog]");
        (int code, string text, _) = CommandLine.Run([.. SmallRun.Verb("eval", config), "--checkpoint", SmallRun.Checkpoint(run, 1), "--json", json]);
        Assert.Equal(0, code);
        Assert.Contains("note: training had masks of 'traffic cone' of the unseen classes: mIoU(U) and hIoU are not zero-shot scores", text);
        Assert.Equal("traffic cone", Json(json).GetProperty("shown_unseen")[0].GetString());
        (_, text, _) = CommandLine.Run([.. SmallRun.Verb("eval", config, "data.unseen=[dog]"), "--checkpoint", SmallRun.Checkpoint(run, 1)]);
        Assert.DoesNotContain("note:", text);
    }

    [Fact]
    public void PartsOfDrawnScenes()
    {
        using var data = new TinyData();
        data.Text($"base: {SmallRun.Config("base")}\ndata: {{kind: synthetic, synthetic: {{train_count: 3, val_count: 2}}}}\n", "scenes.yaml");
        string config = data.At("scenes.yaml"), run = data.At("run");
        SmallRun.Train(config, run, "train.iterations=1");
        (int code, string text, _) = CommandLine.Run(
            [.. SmallRun.Verb("eval", config, "data.val_part=train"), "--checkpoint", SmallRun.Checkpoint(run, 1)]);
        Assert.Equal(0, code);
        Assert.Contains("3 pictures of", text);
        Assert.Contains(
            "expected part train or val of drawn scenes, found 'test'",
            CommandLine.Refuses([.. SmallRun.Verb("eval", config, "data.val_part=test"), "--checkpoint", SmallRun.Checkpoint(run, 1)]));
    }

    [Fact]
    public void EvalRefusesAnotherModelAnotherClipAndOtherFiles()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        SmallRun.Train(config, run, "train.iterations=1");
        string checkpoint = SmallRun.Checkpoint(run, 1);
        string Refused(string file, params string[] settings) =>
            CommandLine.Refuses([.. SmallRun.Verb("eval", config, settings), "--checkpoint", file]);
        Assert.Contains(
            "mine.yaml: model.head: expected attention, as " + checkpoint + " was trained with, found dot.", Refused(checkpoint, "model.head=dot"));
        Assert.Contains("data.image_mean: expected clip", Refused(checkpoint, "data.image_mean=imagenet"));
        Assert.Contains("was trained on the CLIP with SHA-256", Refused(checkpoint, "clip.path=" + Path.Combine(ConfigFilesAssets, "clip")));
        Assert.Contains(
            "expected a checkpoint that `ldvc train` wrote, found a file of another kind",
            Refused(Path.Combine(Clip.TinyClip.Folder, "model.safetensors")));
        Assert.Contains("no such file", Refused(data.At("none.safetensors")));
        byte[] whole = File.ReadAllBytes(checkpoint);
        File.WriteAllBytes(data.At("cut.safetensors"), whole[..(whole.Length / 2)]);
        Assert.Contains("cut.safetensors: tensor '", Refused(data.At("cut.safetensors")));
    }

    private static string ConfigFilesAssets => Path.Combine(Configuration.ConfigFiles.Repository, "assets", "demo");

    private static string Root(TinyData data, string set) => set switch
    {
        "voc" => RealFormats.Voc(data),
        "coco-stuff" => RealFormats.CocoStuff(data),
        _ => RealFormats.Context(data),
    };

    private static int ClassCount(string set) => set switch { "voc" => 20, "coco-stuff" => 171, _ => 59 };

    private static string Rows(string text) => text[text.IndexOf("class ", StringComparison.Ordinal)..];

    private static JsonElement Json(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;
}
