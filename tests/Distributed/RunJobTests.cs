using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>A training run as a job: one folder whoever writes it, resumed by any number of processes, stopped and failing as one.</summary>
public sealed class RunJobTests
{
    private const int Steps = 6;

    [Fact]
    public void ARunIsResumedByAnotherNumberOfProcesses()
    {
        using var data = new TinyData();
        LdvcConfig config = Configure(data);
        string whole = data.At("whole"), parts = data.At("parts");
        Train(config, whole, 1);
        Scores? scores = null;

        // 2 processes for two steps, 1 for two, 3 for the last two.
        foreach (var (size, until) in new[] { (2, 2), (1, 4), (3, Steps) })
        {
            foreach (int step in Enumerable.Range(1, Steps).Where(step => step > until))
            {
                Assert.False(File.Exists(SmallRun.Checkpoint(parts, step)));
            }

            scores = Train(config, parts, size, stopAt: until == Steps ? 0 : until)[0].Scores;
        }

        float[] expected = RunFiles.Tensors(SmallRun.Checkpoint(whole, Steps)), actual = RunFiles.Tensors(SmallRun.Checkpoint(parts, Steps));
        double bound = 1e-4 * expected.Max(MathF.Abs);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, bound));
        double[] before = Losses(whole), after = Losses(parts);
        Assert.Equal(Steps, after.Length);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * pair.First));
        Assert.NotNull(scores);
    }

    [Fact]
    public void OneProcessWritesAndAllHaveTheOutcome()
    {
        using var data = new TinyData();
        LdvcConfig config = Configure(data) with { Train = Configure(data).Train with { EvalEvery = 3, KeepBest = BestScore.Miou } };
        var monitors = new Listener[2];
        TrainingOutcome[] outcomes = Ranks.Run(2, job => Train(config, data.At("run"), job, monitors[job.Group.Rank] = new Listener()));
        Assert.All(outcomes, outcome => Assert.True(outcome.Finished));
        Assert.Equal(outcomes[0].Scores!.MeanIoU, outcomes[1].Scores!.MeanIoU);
        Assert.Empty(monitors[1].Lines);
        Assert.Contains("2 threads of one process: 6 pictures of a step each", monitors[0].Lines);
        Assert.Single(Directory.GetFiles(data.At("run"), "events.out.tfevents.*"));
        Assert.Equal(Steps, Losses(data.At("run")).Length);
        Assert.True(File.Exists(data.At("run", "checkpoints", "best.safetensors")));
        Assert.True(outcomes[0].ImagesPerSecond > 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void AllStopAfterTheSameStepWhicheverIsTold(int told)
    {
        using var data = new TinyData();
        using var stop = new CancellationTokenSource();
        LdvcConfig config = Configure(data) with { Train = Configure(data).Train with { CheckpointEvery = 1000, Iterations = 1000 } };
        var tokens = new CancellationToken[3];
        tokens[told] = stop.Token;
        var listener = new Listener { At = 2, Stop = stop };
        TrainingOutcome[] outcomes = Ranks.Run(3, job => Train(config, data.At("run"), job, job.IsFirst ? listener : new Listener()), tokens);
        long step = Assert.Single(outcomes.Select(outcome => outcome.Step).Distinct());
        Assert.InRange(step, 2, 4);
        Assert.All(outcomes, outcome => Assert.False(outcome.Finished));
        Assert.Equal([(int)step], RunFiles.AssertReadable(data.At("run")));
        Assert.Contains(listener.Lines, line => line.StartsWith($"stopped after step {step} of 1000; saved as ", StringComparison.Ordinal));
    }

    [Fact]
    public void AStopDuringTheEvaluationIsEverybodys()
    {
        using var data = new TinyData();
        using var stop = new CancellationTokenSource();

        // One process is told before its first picture; the other one may be through with its own by then.
        var listener = new Listener { Title = "image", Stop = stop };
        TrainingOutcome[] outcomes = Ranks.Run(
            2, job => Train(Configure(data), data.At("run"), job, job.IsFirst ? listener : new Listener()), [stop.Token, default]);
        Assert.All(outcomes, outcome => Assert.Null(outcome.Scores));
        Assert.All(outcomes, outcome => Assert.Equal(Steps, outcome.Step));
        Assert.False(File.Exists(data.At("run", "scores.json")));
        Assert.True(Train(Configure(data), data.At("run"), 2)[1].Finished);
    }

    [Fact]
    public void ABrokenPictureSavesWhatWasLearnt()
    {
        using var data = new TinyData();
        LdvcConfig config = Configure(data);
        Train(config, data.At("whole"), 2);

        // 36 pictures, batches of 12: the picture of place 30 is met in the third step, by the second process.
        int broken = new SampleOrder(5, 36)[30];
        var registry = Registry(36, broken, new InputException($"m{broken}.jpg: broken, expected a picture"));
        Assert.Equal(
            $"rank 1: m{broken}.jpg: broken, expected a picture",
            Ranks.Refuse(2, job => Train(config, data.At("run"), job, new Listener(), registry)));
        Assert.Equal([2], RunFiles.AssertReadable(data.At("run")));
        Assert.True(Train(config, data.At("run"), 2)[0].Finished);
        Assert.Equal(RunFiles.Tensors(SmallRun.Checkpoint(data.At("whole"), Steps)), RunFiles.Tensors(SmallRun.Checkpoint(data.At("run"), Steps)));
    }

    [Fact]
    public void ACheckpointThatCannotBeWrittenEndsAll()
    {
        using var data = new TinyData();
        string folder = data.At("run", "checkpoints");
        var listener = new Listener { At = 1, Then = () => File.WriteAllText(folder, "in the way") };
        Assert.StartsWith(
            $"rank 0: {folder}", Ranks.Refuse(2, job => Train(Configure(data), data.At("run"), job, job.IsFirst ? listener : new Listener())));
    }

    [Fact]
    public void AnExistingRunIsRefusedOnce()
    {
        using var data = new TinyData();
        Train(Configure(data), data.At("run"), 1);
        string said = Ranks.Refuse(2, job => Train(Configure(data), data.At("run"), job, new Listener(), resume: false));
        Assert.Equal(
            $"rank 0: {data.At("run")}: expected an empty folder, found a run; add --resume to continue it, or choose another train.out.", said);
    }

    [Theory]
    [InlineData("lr", "rank 1: train.lr is 0.002, but on rank 0 it is 0.001; expected the same on all 2 processes.")]
    [InlineData("every", "rank 1: train.eval_every is 1, but on rank 0 it is 0; expected the same on all 2 processes.")]
    [InlineData("data", "rank 1: the list of training pictures is one of 35 with SHA-256 ")]
    [InlineData("clip", "rank 1: the digest of the CLIP's weights is ")]
    [InlineData("seen", "rank 1: the list of seen training classes is a, c, d, but on rank 0 it is a, c;")]
    [InlineData("preprocessor_config.json", "rank 1: the mean and deviation of pictures is 0.5 ", "0.48145466", "0.5")]
    [InlineData("config.json", "rank 1: what the CLIP computes is vision ", "quick_gelu", "gelu")]
    [InlineData(
        "vocab.json", "rank 1: the digest of the tokens of the class names is ",
        "\"a</w>\": 320", "\"a</w>\": 321", "\"b</w>\": 321", "\"b</w>\": 320")]
    public void ProcessesOfDifferentRunsAreRefused(string what, string expected, params string[] edits)
    {
        using var data = new TinyData();
        using var temporary = new Serialization.TempFolder();
        string clip = TinyClip.Edited(temporary, archive => archive.Floats["visual_projection.weight"].Values[0] += 1);
        foreach (string file in Directory.GetFiles(TinyClip.Folder).Where(file => !File.Exists(Path.Combine(clip, Path.GetFileName(file)))))
        {
            File.Copy(file, Path.Combine(clip, Path.GetFileName(file)));
        }

        string beside = data.At("beside");
        if (edits.Length > 0)
        {
            // The same weights beside other files.
            Directory.CreateDirectory(beside);
            Array.ForEach(Directory.GetFiles(TinyClip.Folder), file => File.Copy(file, Path.Combine(beside, Path.GetFileName(file))));
            string text = File.ReadAllText(Path.Combine(beside, what)), before = text;
            for (int i = 0; i < edits.Length; i += 2)
            {
                text = text.Replace(edits[i], edits[i + 1], StringComparison.Ordinal);
            }

            Assert.NotEqual(before, text);
            File.WriteAllText(Path.Combine(beside, what), text);
        }

        string said = Ranks.Refuse(2, job =>
        {
            LdvcConfig config = Configure(data);
            bool other = job.Group.Rank == 1;
            config = other && what == "lr" ? config with { Train = config.Train with { Lr = 2e-3 } } : config;
            config = other && what == "every" ? config with { Train = config.Train with { EvalEvery = 1 } } : config;
            config = other && what == "clip" ? config with { Clip = config.Clip with { Path = clip } } : config;
            config = other && edits.Length > 0 ? config with { Clip = config.Clip with { Path = beside } } : config;
            DatasetRegistry registry = Registry(other && what == "data" ? 35 : 36);
            registry = other && what == "seen"
                ? registry.With(DataKind.Synthetic, (_, _) => new ResplitDataset(new MemoryDataset(36), ZeroShotSplit.WithUnseen(4, [1], "memory")))
                : registry;
            Train(config, data.At("run"), job, new Listener(), registry);
        });
        Assert.StartsWith(expected, said);
        Assert.False(Directory.Exists(data.At("run")));
    }

    [Fact]
    public void ScoresAreTheSameForAnyNumberOfProcesses()
    {
        var model = new ModelConfig { Head = MaskHead.Dot, Decoder = new DecoderConfig { Windows = 2, Topk = 2 } };
        var config = new LdvcConfig { Eval = new EvalConfig { ShortSide = 32, Window = 32, Stride = 32 } };
        long[] Counts(int size, List<string> shown) => Assert.Single(Ranks.Run(size, job =>
        {
            using var own = new CpuDevice(1);
            using LoadedModel loaded = LoadedModel.Create(TinyClip.Folder, model, own, 3);
            var show = new PictureShow(3, (name, _, _, labels) => shown.Add($"{name} {string.Join(' ', labels.Labels)}"));
            return string.Join(' ', Evaluator.Confuse(loaded, new MemoryDataset(7), config, null, null, show, job).Counts);
        }).Distinct()).Split(' ').Select(long.Parse).ToArray();
        List<string> first = [], more = [];
        long[] expected = Counts(1, first);
        Assert.True(expected.Sum() > 1000);
        foreach (int size in new[] { 2, 3, 4, 9 })
        {
            more.Clear();
            Assert.Equal(expected, Counts(size, more));
            Assert.Equal(first, more);
        }
    }

    private static LdvcConfig Configure(TinyData data) => new()
    {
        Clip = new Ldvc.Configuration.ClipConfig { Path = TinyClip.Folder },
        Model = new ModelConfig { Prompts = new PromptConfig { Vision = 2 }, Decoder = new DecoderConfig { Layers = 2, Windows = 2, Topk = 2 } },
        Augment = new AugmentConfig { Scale = [64, 48], Crop = 32 },
        Train = new TrainConfig { Batch = 12, Seed = 5, Warmup = 0, Lr = 1e-3, Iterations = Steps, CheckpointEvery = 2, Keep = 9, LogEvery = 1 },
        Data = new DataConfig { Kind = DataKind.Synthetic, Workers = 1 },
        Eval = new EvalConfig { ShortSide = 32, Window = 32, Stride = 32 },
    };

    private static TrainingOutcome[] Train(LdvcConfig config, string root, int size, int stopAt = 0)
    {
        using var stop = new CancellationTokenSource();
        var tokens = new CancellationToken[size];
        tokens[^1] = stop.Token;
        return Ranks.Run(size, job => Train(config, root, job, new Listener { At = job.IsFirst ? stopAt - 1 : 0, Stop = stop }), tokens);
    }

    private static TrainingOutcome Train(
        LdvcConfig config, string root, JobMember job, Listener listener, DatasetRegistry? registry = null, bool resume = true)
    {
        using var device = new CpuDevice(1);
        return TrainingRun.Run(config, root, resume, device, registry ?? Registry(), listener, job);
    }

    private static double[] Losses(string run) =>
    [
        .. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.TryGetProperty("loss", out _)).Select(line => line.GetProperty("loss").GetDouble()),
    ];

    // Drawn pictures in memory.
    private static DatasetRegistry Registry(int count = 36, int broken = -1, InputException? failure = null) =>
        DatasetRegistry.Files.With(
            DataKind.Synthetic, (_, part) => part == "train" ? new MemoryDataset(count, broken, failure) : new MemoryDataset(4));

    // Keeps what it is told, and does something when a loop has come so far.
    private sealed class Listener : IRunMonitor, IProgress<ProgressStatus>
    {
        private string _title = "";

        internal List<string> Lines { get; } = [];

        internal string Title { get; init; } = "step";

        internal int At { get; init; }

        internal CancellationTokenSource? Stop { get; init; }

        internal Action? Then { get; init; }

        public void Say(string line) => Lines.Add(line);

        public void Warn(string sentence) => Lines.Add(sentence);

        public T Loop<T>(string title, int first, int total, Func<IProgress<ProgressStatus>, T> loop)
        {
            _title = title;
            if (title == Title && At == 0)
            {
                Stop?.Cancel();
            }

            return loop(this);
        }

        public void Report(ProgressStatus value)
        {
            if (_title == Title && value.Step == At)
            {
                Stop?.Cancel();
                Then?.Invoke();
            }
        }
    }
}
