using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

public sealed class RunFolderTests
{
    private readonly LdvcConfig _config = new() { Train = new TrainConfig { Batch = 4 } };

    [Fact]
    public void AFreshFolderHoldsTheResolvedConfiguration()
    {
        using var folder = new TempFolder();
        using var run = RunFolder.Open(folder.File("a/b"), _config, resume: true);
        Assert.False(run.Existed);
        Assert.Equal(ConfigWriter.ToYaml(_config), File.ReadAllText(run.ConfigPath));
        Assert.Equal(4, ConfigLoader.Load(run.ConfigPath).Train.Batch);
    }

    [Fact]
    public void TheSameRunOpensAgainAndOnlyRuntimeValuesMayChange()
    {
        using var folder = new TempFolder();
        RunFolder.Open(folder.File("run"), _config, resume: true).Dispose();
        LdvcConfig moved = _config with { Data = _config.Data with { Root = "elsewhere", Workers = 3 } };
        using (var again = RunFolder.Open(folder.File("run"), moved, resume: true))
        {
            Assert.True(again.Existed);
            Assert.Equal("elsewhere", ConfigLoader.Load(again.ConfigPath).Data.Root);
        }

        string before = File.ReadAllText(folder.File("run/config.yaml"));
        LdvcConfig other = _config with { Train = _config.Train with { Lr = 1e-3 } };
        var error = Assert.Throws<InputException>(() => RunFolder.Open(folder.File("run"), other, resume: true));
        Assert.Contains("config.yaml: train.lr: expected 0.0002, as the run was started with, found 0.001;", error.Message);
        Assert.Equal(before, File.ReadAllText(folder.File("run/config.yaml")));
    }

    /// <summary>
    /// Weights and moments are float32 whatever multiplied: a run goes on in another precision, and says so. A comparison must not.
    /// </summary>
    [Fact]
    public void ThePrecisionMayChangeAndIsTold()
    {
        using var folder = new TempFolder();
        LdvcConfig In(Precision training, Precision pretraining) =>
            _config with { Train = _config.Train with { Precision = training }, Pretrain = _config.Pretrain with { Precision = pretraining } };
        using (var first = RunFolder.Open(folder.File("run"), In(Precision.Fp16, Precision.Fp16), resume: true))
        {
            Assert.Empty(first.Changes);
        }

        using (var second = RunFolder.Open(folder.File("run"), In(Precision.Bf16, Precision.Fp32), resume: true))
        {
            Assert.Equal(["train.precision is bf16 from here on, it was fp16"], second.Changes);
        }

        using (var pretraining = RunFolder.Open(folder.File("run"), In(Precision.Fp32, Precision.Bf16), resume: true, "pretrain.out"))
        {
            Assert.Equal(["pretrain.precision is bf16 from here on, it was fp32"], pretraining.Changes);
        }

        RunFolder.Open(folder.File("run"), In(Precision.Bf16, Precision.Fp32), resume: true).Dispose();

        RunFolder.Check(folder.File("run"), In(Precision.Bf16, Precision.Fp32), resume: true, exact: true);
        Assert.Contains(
            "train.precision: expected bf16, as the run was started with, found fp16;",
            Assert.Throws<InputException>(
                () => RunFolder.Check(folder.File("run"), In(Precision.Fp16, Precision.Fp32), resume: true, exact: true)).Message);
    }

    /// <summary>A section that a verb does not read is none of its run's settings: --seed sets the seeds of both.</summary>
    [Fact]
    public void SectionsOfOtherVerbsMayChange()
    {
        using var folder = new TempFolder();
        LdvcConfig Seeds(long training, long pretraining) =>
            _config with { Train = _config.Train with { Seed = training }, Pretrain = _config.Pretrain with { Seed = pretraining } };
        RunFolder.Open(folder.File("run"), Seeds(3, 0), resume: true).Dispose();
        Assert.Empty(Opened(Seeds(3, 3), "train.out"));
        Assert.Empty(Opened(Seeds(0, 3), "pretrain.out"));
        Assert.Contains("pretrain.seed: expected 3", Assert.Throws<InputException>(() => Opened(Seeds(0, 0), "pretrain.out")).Message);
        Assert.Contains("train.seed: expected 0", Assert.Throws<InputException>(() => Opened(Seeds(3, 3), "train.out")).Message);

        IReadOnlyList<string> Opened(LdvcConfig config, string key)
        {
            using var run = RunFolder.Open(folder.File("run"), config, resume: true, key);
            return run.Changes;
        }
    }

    /// <summary>The path of a file whose content is compared elsewhere may be another one, but not come or go.</summary>
    [Fact]
    public void FilesMayLieElsewhere()
    {
        using var folder = new TempFolder();
        LdvcConfig At(string? colours, string? embeddings) =>
            _config with
            {
                Data = _config.Data with { Kind = DataKind.Folder, Colors = colours },
                Model = _config.Model with { ClassEmbeddings = embeddings, Prompts = new PromptConfig { Text = 0 } },
            };
        RunFolder.Open(folder.File("run"), At("a.txt", null), resume: true).Dispose();
        RunFolder.Open(folder.File("run"), At("/mnt/b.txt", null), resume: true).Dispose();
        Assert.Contains("data.colors: expected", Assert.Throws<InputException>(
            () => RunFolder.Open(folder.File("run"), At(null, null), resume: true)).Message);
        Assert.Contains("model.class_embeddings: expected null", Assert.Throws<InputException>(
            () => RunFolder.Open(folder.File("run"), At("a.txt", "e.npy"), resume: true)).Message);
    }

    [Fact]
    public void FoldersWithOtherThingsAreLeftAlone()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("home"));
        File.WriteAllText(folder.File("home/diary.txt"), "x");
        Assert.Contains(
            "found files but no config.yaml",
            Assert.Throws<InputException>(() => RunFolder.Open(folder.File("home"), _config, resume: true)).Message);
        Assert.Equal(["diary.txt"], Directory.EnumerateFileSystemEntries(folder.File("home")).Select(Path.GetFileName));
        Assert.Contains(
            "found a file", Assert.Throws<InputException>(() => RunFolder.Open(folder.File("home/diary.txt"), _config, resume: true)).Message);
    }

    [Fact]
    public void OneProcessAtATime()
    {
        using var folder = new TempFolder();
        var first = RunFolder.Open(folder.File("run"), _config, resume: true);
        Assert.Contains(
            "another ldvc process", Assert.Throws<InputException>(() => RunFolder.Open(folder.File("run"), _config, resume: true)).Message);
        first.Dispose();
        RunFolder.Open(folder.File("run"), _config, resume: true).Dispose();
        Assert.Equal(["config.yaml"], Directory.EnumerateFileSystemEntries(folder.File("run")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("configs/voc/inductive.yaml", "voc-inductive")]
    [InlineData("configs/base.yaml", "base")]
    [InlineData("/somewhere/mine/x.y.yaml", "mine-x.y")]
    public void RunsAreNamedAfterTheirFile(string file, string name) => Assert.Equal(Path.Combine("runs", name), RunFolder.DefaultPath(file));
}
