using Ldvc.App.Cli;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>--resume: what continues, what is refused, and Ctrl-C (as a token; the signal itself is in KillTests).</summary>
public sealed class ResumeTests
{
    [Fact]
    public void AResumedRunEndsWithTheBytesOfOneThatWasNot()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), whole = data.At("whole"), halved = data.At("halved");
        SmallRun.Train(config, whole, "train.checkpoint_every=1", "train.keep=9");
        SmallRun.Train(config, halved, "train.checkpoint_every=1", "train.keep=9");
        File.Delete(SmallRun.Checkpoint(halved, 4));
        File.Delete(SmallRun.Checkpoint(halved, 3));
        string text = SmallRun.Train(config, halved, "train.checkpoint_every=1", "train.keep=9", "--resume");
        Assert.Contains("continuing after step 2", text);
        foreach (int step in new[] { 1, 2, 3, 4 })
        {
            Assert.Equal(File.ReadAllBytes(SmallRun.Checkpoint(whole, step)), File.ReadAllBytes(SmallRun.Checkpoint(halved, step)));
        }

        // Every step stands in the log once, although steps 3 and 4 were done twice.
        Assert.Equal(5, File.ReadLines(Path.Combine(halved, "metrics.jsonl")).Count());
        Assert.Equal(["1", "2", "3", "4", "4"], File.ReadLines(Path.Combine(halved, "metrics.jsonl")).Select(l => l.Split(':')[1].Split(',')[0]));

        // The folder's own configuration is all that is needed; a finished run is only scored again.
        (int code, text, string error) = CommandLine.Run("train", Path.Combine(halved, "config.yaml"), "--resume");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("all 4 steps had been done before", text);
        Assert.Equal(5, File.ReadLines(Path.Combine(halved, "metrics.jsonl")).Count());
    }

    // config.yaml names the folder that it was written in; what goes on is the run that it lies in now.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AMovedOrCopiedRunGoesOnWhereItIs(bool copied)
    {
        using var data = new TinyData();
        string first = data.At("first"), second = data.At("second"), third = data.At("third");
        SmallRun.Train(SmallRun.OwnConfig(data), first, "train.eval_every=1", "train.keep=9");
        byte[] last = File.ReadAllBytes(SmallRun.Checkpoint(first, 4));
        File.Delete(SmallRun.Checkpoint(first, 4));
        Directory.Move(first, second);
        if (copied)
        {
            Directory.CreateDirectory(first);
            File.Copy(Path.Combine(second, "config.yaml"), Path.Combine(first, "config.yaml"));
        }

        (int code, string text, string error) = CommandLine.Run("train", Path.Combine(second, "config.yaml"), "--resume");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("continuing after step 3", text);
        Assert.Equal(last, File.ReadAllBytes(SmallRun.Checkpoint(second, 4)));
        Assert.False(Directory.Exists(Path.Combine(first, "checkpoints")));

        // The step that it went on from was scored again, and stands there once.
        Assert.Equal(
            ["1", "1", "2", "2", "3", "3", "4", "4"],
            File.ReadLines(Path.Combine(second, "metrics.jsonl")).Select(line => line.Split(':')[1].Split(',')[0]));
        Assert.Contains($"out: \"{second}\"", File.ReadAllText(Path.Combine(second, "config.yaml")));

        Assert.DoesNotContain("note: train.warmup", text);
        if (copied)
        {
            return;
        }

        // A folder that is asked for is the one that is taken.
        (code, text, _) = CommandLine.Run("train", Path.Combine(second, "config.yaml"), "--set", $"train.out={third}");
        Assert.Equal(0, code);
        Assert.Contains($"in {third}", text);
        Assert.True(File.Exists(SmallRun.Checkpoint(third, 4)));
    }

    [Fact]
    public void ARateThatTheWarmUpNeverReachesIsTold()
    {
        using var data = new TinyData();
        Assert.Contains(
            "note: train.warmup is 1500 steps and the training 1: the learning rate never gets to train.lr = 0.0002; its largest value is 2E-10",
            SmallRun.Train(SmallRun.OwnConfig(data), data.At("run"), "train.iterations=1", "train.warmup=1500"));
    }

    [Fact]
    public void ADamagedNewestCheckpointIsPassedOver()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        SmallRun.Train(config, run);
        byte[] whole = File.ReadAllBytes(SmallRun.Checkpoint(run, 4));
        File.WriteAllBytes(SmallRun.Checkpoint(run, 4), whole[..^3]);
        (int code, string text, string error) = CommandLine.Run(SmallRun.Arguments(config, run, "--resume"));
        Assert.Equal(0, code);
        Assert.Equal(2, error.Split("ldvc: checkpoint skipped: ").Length);
        Assert.Contains("continuing after step 2", text);
        Assert.Equal(whole, File.ReadAllBytes(SmallRun.Checkpoint(run, 4)));
    }

    [Fact]
    public void WhatAProcessKilledAtOnceLeavesIsTaken()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        data.Text("", "run", ".lock");
        data.Text("half a conf", "run", ".config.yaml.123-0af.tmp");
        SmallRun.Train(config, run, "train.iterations=1", "--resume");
        Assert.DoesNotContain(Directory.GetFiles(run).Select(Path.GetFileName), name => name!.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatAProcessKilledWhileItSavedLeavesIsRemoved()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        SmallRun.Train(config, run, "train.iterations=1");
        string[] halves = [".ckpt-00000001.safetensors.1-2.tmp", ".best.safetensors.1-2.tmp", ".best.json.1-2.tmp"];
        foreach (string name in halves)
        {
            data.Text("half", "run", "checkpoints", name);
        }

        data.Text("mine", "run", "checkpoints", ".notes.tmp");
        SmallRun.Train(config, run, "train.iterations=1", "--resume");
        string[] left = [.. Directory.GetFiles(data.At("run", "checkpoints"), "*.tmp").Select(path => Path.GetFileName(path)!)];
        Assert.Equal([".notes.tmp"], left);
    }

    [Theory]
    [InlineData("train.lr=1e-3", "train.lr: expected 0.0002, as the run was started with, found 0.001;")]
    [InlineData("train.batch=4", "train.batch: expected 2")]
    [InlineData("train.iterations=8", "train.iterations: expected 4")]
    [InlineData("train.seed=1", "train.seed: expected 0")]
    [InlineData("train.setting=full", "train.setting: expected inductive")]
    [InlineData("model.prompts.vision=4", "model.prompts.vision: expected 10")]
    [InlineData("augment.crop=48", "augment.crop: expected 64")]
    [InlineData("data.unseen=[dog]", "data.unseen: expected []")]
    [InlineData("loss.dice=2", "loss.dice: expected 1")]
    public void OtherSettingsAreRefused(string setting, string expected)
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        SmallRun.Train(config, run, "train.checkpoint_every=1", "train.keep=9");
        File.Delete(SmallRun.Checkpoint(run, 4));
        string before = File.ReadAllText(Path.Combine(run, "config.yaml"));
        string message = CommandLine.Refuses(SmallRun.Arguments(config, run, setting, "--resume"));
        Assert.Contains(expected, message);
        Assert.Contains("set it back or choose another train.out.", message);
        Assert.Equal(before, File.ReadAllText(Path.Combine(run, "config.yaml")));
        Assert.False(File.Exists(SmallRun.Checkpoint(run, 4)));
    }

    // The names of the pictures and their order make a run what it is; so does the list of classes.
    [Theory]
    [InlineData("train.txt", "a\nb\nd\nc\n", "mine/train: expected the pictures, in their order, that ")]
    [InlineData("train.txt", "a\nb\nc\n", "found other ones (3 now); set it back or choose another train.out.")]
    [InlineData("train.txt", "a\nb\nc\nf\n", "expected the pictures, in their order, that ")]
    [InlineData("train.txt", "a\nb c.png\nc b.png\nd\n", "that ", "with the same masks, found other ones (4 now)")]
    [InlineData("unseen.txt", "dog\n", "mine/train: expected class 'dog' to be seen, as ",
        "found it unseen; set it back or choose another train.out.")]
    [InlineData("unseen.txt", "", "mine/train: expected class 'traffic cone' to be unseen, as ", "found it seen; ")]
    [InlineData("classes.txt", "dog\ncat\nblue sky\ntraffic cone\n", "mine/train: class 0: expected 'cat', as ")]
    [InlineData("classes.txt", "cat\ndog\nblue sky\ntraffic cone\nroad\n", "class 4: expected 4 classes, as ")]
    public void OtherDataIsRefused(string file, string content, string expected, string more = "")
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        data.Text("e\n", "mine", "val.txt");
        SmallRun.Train(config, run, "train.checkpoint_every=1", "train.keep=9");
        File.Delete(SmallRun.Checkpoint(run, 4));
        string before = File.ReadAllText(data.At("mine", file));
        data.Text(content, "mine", file);
        string message = CommandLine.Refuses(SmallRun.Arguments(config, run, "train.checkpoint_every=1", "train.keep=9", "--resume"));
        Assert.Contains(expected, message);
        Assert.Contains(more, message);
        Assert.False(File.Exists(SmallRun.Checkpoint(run, 4)));

        // The same names written otherwise are the same pictures.
        data.Text(file == "train.txt" ? "\na.jpg\n/images/b.jpg\nimages/c.jpg masks/c.png\nd\n" : before, "mine", file);
        SmallRun.Train(config, run, "train.checkpoint_every=1", "train.keep=9", "--resume");
    }

    // Evaluations of other pictures are no curve, and the best of them means nothing. One alone is only done again.
    [Fact]
    public void OtherValidationPicturesAreRefusedWhereEvaluationsAreCompared()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        string[] often = ["train.eval_every=2", "train.checkpoint_every=1", "train.keep=9"];
        SmallRun.Train(config, run, [.. often, "train.keep_best=miou"]);
        File.Delete(SmallRun.Checkpoint(run, 4));
        data.Text("f\ne\n", "mine", "val.txt");
        string message = CommandLine.Refuses(SmallRun.Arguments(config, run, [.. often, "train.keep_best=miou", "--resume"]));
        Assert.Contains("mine/val: expected the pictures, in their order, that ", message);
        Assert.Contains("scores.json is of, since the evaluations of a run are compared, found other ones (2 now)", message);
        Assert.False(File.Exists(SmallRun.Checkpoint(run, 4)));
        SmallRun.Train(config, run, "--resume");
    }

    [Fact]
    public void SettingsOfTheMomentMayChange()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), whole = data.At("whole"), run = data.At("run");
        SmallRun.Train(config, whole);
        SmallRun.Train(config, run);
        File.Delete(SmallRun.Checkpoint(run, 4));
        SmallRun.Train(
            config,
            run,
            "--resume",
            "data.workers=2",
            "data.prefetch=1",
            "train.keep=7",
            "train.log_every=2",
            "train.eval_every=3",
            "train.checkpoint_every=3",
            "eval.batch=2");
        Assert.Equal(RunFiles.Tensors(SmallRun.Checkpoint(whole, 4)), RunFiles.Tensors(SmallRun.Checkpoint(run, 4)));
        Assert.True(File.Exists(SmallRun.Checkpoint(run, 3)));
    }

    [Fact]
    public void WithoutResumeARunIsLeftAlone()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        SmallRun.Train(config, run);
        byte[] before = File.ReadAllBytes(SmallRun.Checkpoint(run, 4));
        Assert.Contains(
            "run: expected an empty folder, found a run; add --resume to continue it, or choose another train.out.",
            CommandLine.Refuses(SmallRun.Arguments(config, run)));
        Assert.Equal(before, File.ReadAllBytes(SmallRun.Checkpoint(run, 4)));
    }

    // The folder of one's own configuration as train.out: the resolved one would take its place, comments and all.
    [Theory]
    [InlineData("train", "config.yaml", "train.out")]
    [InlineData("train", "config.yaml", "train.out", "--resume")]
    [InlineData("ablate", "ablation.yaml", "ablate.out")]
    public void AConfigurationThatNoRunWroteStays(string verb, string name, string key, params string[] more)
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), folder = Path.GetDirectoryName(data.At("own", name))!;
        foreach (string own in new[] { $"# mine\nbase: {config}\n", "name: of another program\n", "" })
        {
            File.WriteAllText(Path.Combine(folder, name), own);
            string message = CommandLine.Refuses([.. SmallRun.Verb(verb, config, $"{key}={folder}", "ablate.seeds=1"), .. more]);
            Assert.Contains(name + " that no ", message);
            Assert.Equal(own, File.ReadAllText(Path.Combine(folder, name)));
            Assert.Single(Directory.GetFileSystemEntries(folder));
        }

        // What a run wrote before it was killed, without a checkpoint, goes on.
        string run = data.At("run");
        SmallRun.Train(config, run, "train.iterations=1");
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        File.Delete(Path.Combine(run, "metrics.jsonl"));
        Assert.Equal(0, CommandLine.Run([.. SmallRun.Arguments(config, run, "train.iterations=1"), "--resume"]).Code);
    }

    [Fact]
    public void AnInterruptSavesAndLeavesWith130()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), whole = data.At("whole"), run = data.At("run");
        SmallRun.Train(config, whole, "train.checkpoint_every=1000");
        using var stop = new CancellationTokenSource();
        using var output = new CancellingWriter("step 1/4", stop);
        using var error = new StringWriter();
        int code = Application.Run(SmallRun.Arguments(config, run, "train.checkpoint_every=1000"), output, error, false, stop.Token);
        Assert.Equal(130, code);
        Assert.Equal("ldvc: stopping after this step (Ctrl-C again stops at once, without saving)." + Environment.NewLine, error.ToString());
        string checkpoint = SmallRun.Checkpoint(run, 1);
        Assert.Contains(
            $"stopped after step 1 of 4; saved as {checkpoint}; to go on: ldvc train {Path.Combine(run, "config.yaml")} --resume", output.ToString());
        Assert.Equal([1], RunFiles.AssertReadable(run));
        Assert.False(File.Exists(Path.Combine(run, "scores.json")));
        SmallRun.Train(config, run, "train.checkpoint_every=1000", "--resume");
        Assert.Equal(File.ReadAllBytes(SmallRun.Checkpoint(whole, 4)), File.ReadAllBytes(SmallRun.Checkpoint(run, 4)));
    }

    [Fact]
    public void AnInterruptDuringTheEvaluationIsResumedThere()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), json = data.At("r.json");
        using var stop = new CancellationTokenSource();
        using var output = new CancellingWriter("image 1/2", stop);
        using var error = new StringWriter();
        int code = Application.Run(SmallRun.Arguments(config, run, "--json", json), output, error, false, stop.Token);
        Assert.Equal(130, code);
        Assert.Contains("stopped after the last step, before the evaluation was done; saved as", output.ToString());
        Assert.Contains("\"finished\": false", File.ReadAllText(json));
        Assert.Contains("all 4 steps had been done before", SmallRun.Train(config, run, "--resume"));
        Assert.True(File.Exists(Path.Combine(run, "scores.json")));
    }

    [Fact]
    public void AnInterruptDuringAnEvaluationOnTheWayIsMadeUpFor()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        using var stop = new CancellationTokenSource();
        using var output = new CancellingWriter("image 1/2", stop);
        using var error = new StringWriter();
        string[] often = ["train.eval_every=1", "train.checkpoint_every=1000"];
        Assert.Equal(130, Application.Run(SmallRun.Arguments(config, run, often), output, error, false, stop.Token));
        Assert.Contains($"stopped after step 1 of 4; saved as {SmallRun.Checkpoint(run, 1)}", output.ToString());
        Assert.False(File.Exists(Path.Combine(run, "scores.json")));
        Assert.Contains("step 1: pAcc", SmallRun.Train(config, run, [.. often, "--resume"]));
        string[] scored = [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Where(line => line.Contains("miou_seen", StringComparison.Ordinal))];
        Assert.Equal(["1", "2", "3", "4"], scored.Select(l => l.Split(':')[1].Split(',')[0]));

        // What was scored is not scored again.
        File.Delete(SmallRun.Checkpoint(run, 4));
        File.WriteAllText(Path.Combine(run, "scores.json"), """{ "step": 2 }""");
        Assert.DoesNotContain("step 2: pAcc", SmallRun.Train(config, run, [.. often, "--resume"]));
    }

    [Fact]
    public void ABadValidationPictureCostsTheEvaluationAlone()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), mask = data.At("mine", "masks", "f.png");
        byte[] good = File.ReadAllBytes(mask);
        File.WriteAllBytes(mask, good[..(good.Length / 2)]);
        string[] settings = ["train.eval_every=3", "train.checkpoint_every=1000"];
        (int code, _, string error) = CommandLine.Run(SmallRun.Arguments(config, run, settings));
        Assert.Equal(2, code);
        Assert.Contains(mask + ": ", error);
        Assert.True(File.Exists(SmallRun.Checkpoint(run, 3)));
        File.WriteAllBytes(mask, good);
        string text = SmallRun.Train(config, run, [.. settings, "--resume"]);
        Assert.Contains("continuing after step 3", text);
        Assert.Contains("step 3: pAcc", text);
    }

    [Fact]
    public void ScoresNameTheirCheckpoint()
    {
        using var data = new TinyData();
        string run = data.At("run");
        using var stop = new CancellationTokenSource();
        using var output = new CancellingWriter("step 4/4", stop);
        Assert.Equal(130, Application.Run(SmallRun.Arguments(SmallRun.OwnConfig(data), run, "train.eval_every=3", "train.checkpoint_every=1000"),
            output, TextWriter.Null, false, stop.Token));
        Assert.Contains("ckpt-00000003.safetensors", File.ReadAllText(Path.Combine(run, "scores.json")));
    }

    [Fact]
    public void DivergenceStopsWithTheFirstBadTensorAndWritesNoBadCheckpoint()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run");
        (int code, _, string error) = CommandLine.Run(
            SmallRun.Arguments(config, run, "train.lr=1e38", "train.iterations=20", "train.checkpoint_every=1", "train.keep=30"));
        Assert.Equal(2, code);
        Assert.Matches(@"^ldvc: training stopped at step \d+: .*first bad tensor: \S+.*try a lower (train\.lr|learning rate)\s*$", error);
        RunFiles.AssertReadable(run);
    }

    [Fact]
    public void ABadPictureSavesWhatWasLearnt()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), whole = data.At("whole"), run = data.At("run");
        SmallRun.Train(config, whole, "train.batch=1", "train.checkpoint_every=1000");

        // One picture a step: three steps are done before the bad one is reached, wherever it stands in the order.
        string[] order = Order(data);
        byte[] good = File.ReadAllBytes(order[3]);
        File.WriteAllBytes(order[3], good[..(good.Length / 2)]);
        (int code, string text, string error) = CommandLine.Run(SmallRun.Arguments(config, run, "train.batch=1", "train.checkpoint_every=1000"));
        Assert.Equal(2, code);
        Assert.Contains(order[3] + ": ", error);
        Assert.Contains("checkpoint " + SmallRun.Checkpoint(run, 3), text);
        File.WriteAllBytes(order[3], good);
        SmallRun.Train(config, run, "train.batch=1", "train.checkpoint_every=1000", "--resume");
        Assert.Equal(File.ReadAllBytes(SmallRun.Checkpoint(whole, 4)), File.ReadAllBytes(SmallRun.Checkpoint(run, 4)));
    }

    // The masks in the order in which the first epoch takes them.
    private static string[] Order(TinyData data)
    {
        var order = new Ldvc.Data.SampleOrder(0, 4);
        return [.. Enumerable.Range(0, 4).Select(i => data.At("mine", "masks", "abcd"[order[i]] + ".png"))];
    }

    // Cancels when a line with the given start is written.
    private sealed class CancellingWriter(string start, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(start, StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
