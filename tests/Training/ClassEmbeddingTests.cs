using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Prompts;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>What ZegCLIP's recipe needs in training: class embeddings from a file, and prompts whose dropout is drawn for each picture.</summary>
public sealed class ClassEmbeddingTests : IDisposable
{
    private static readonly string[] Recipe =
        ["train.iterations=2", "model.prompts.text=0", "model.decoder.kind=class-query", "model.decoder.attention=none"];

    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public void ARunWithEmbeddingsFromAFileNeedsTheFileNoMore()
    {
        string config = SmallRun.OwnConfig(_data), npy = Npy("four.npy", 4, 0.1f), with = _data.At("with"), without = _data.At("without");
        string[] settings = [.. Recipe, $"model.class_embeddings={npy}"];
        SmallRun.Train(config, with, settings);
        SmallRun.Train(config, without, Recipe);
        string checkpoint = SmallRun.Checkpoint(with, 2);
        using (TensorArchive archive = TensorArchive.Open(checkpoint), other = TensorArchive.Open(SmallRun.Checkpoint(without, 2)))
        {
            Assert.Equal([4, 64], archive.Entries["class_embeddings"].Shape);
            Assert.Equal(NpyFile.Read(npy, 1 << 20).Values, archive.ReadFloat32("class_embeddings"));
            Assert.NotEqual(archive.ReadFloat32("adapter.weight"), other.ReadFloat32("adapter.weight"));
            Assert.False(other.Entries.ContainsKey("class_embeddings"));
        }

        // Scoring: the file named or not is the same, another file is an error, and one for a checkpoint without is, too.
        (int Code, string Out, string Error) named = Eval(checkpoint, config, settings), unnamed = Eval(checkpoint, config, Recipe);
        Assert.Equal((0, "", ""), (unnamed.Code, unnamed.Error, named.Error));
        Assert.Equal(Scores(named.Out), Scores(unnamed.Out));
        string changed = Npy("changed.npy", 4, 0.2f);
        Assert.Contains("expected the embeddings that", Eval(checkpoint, config, [.. Recipe, $"model.class_embeddings={changed}"]).Error);
        Assert.Contains("was trained with embeddings computed from the names", Eval(SmallRun.Checkpoint(without, 2), config, settings).Error);

        // Resuming with a changed file would go on with another model.
        File.Delete(npy);
        File.Copy(changed, npy);
        Assert.Contains("expected the embeddings that", CommandLine.Refuses(SmallRun.Arguments(config, with, [.. settings, "--resume"])));
        File.Delete(npy);
        Assert.Equal(0, Eval(checkpoint, config, Recipe).Code);
    }

    [Fact]
    public void TransductiveTrainingKeepsTheEmbeddingsOfItsStart()
    {
        string config = SmallRun.OwnConfig(_data), npy = Npy("four.npy", 4, 0.1f), start = _data.At("start"), run = _data.At("run");
        SmallRun.Train(config, start, [.. Recipe, $"model.class_embeddings={npy}"]);
        SmallRun.Train(
            config,
            run,
            [.. Recipe, "train.setting=transductive", "train.transductive.iterations=1", $"train.transductive.from={SmallRun.Checkpoint(start, 2)}"]);
        using TensorArchive archive = TensorArchive.Open(SmallRun.Checkpoint(run, 1));
        Assert.Equal(NpyFile.Read(npy, 1 << 20).Values, archive.ReadFloat32("class_embeddings"));
    }

    [Fact]
    public void EmbeddingsThatDoNotFitAreRefusedBeforeTheRun()
    {
        string config = SmallRun.OwnConfig(_data), run = _data.At("run");
        string Refused(params string[] settings) => CommandLine.Refuses(SmallRun.Arguments(config, run, settings));
        Assert.Contains("expected [4, the CLIP's joint width]", Refused([.. Recipe, $"model.class_embeddings={Npy("three.npy", 3, 0.1f)}"]));
        string four = Npy("four.npy", 4, 0.1f);
        Assert.Contains("model.class_embeddings: expected model.prompts.text = 0", Refused("train.iterations=1", $"model.class_embeddings={four}"));
        foreach (float length in new[] { 10.5f, 0.5f })
        {
            Assert.Contains(
                FormattableString.Invariant(
                    $"raw.npy: the embedding of class 'cat' (row 0) has the length {length}, expected 0.9 to 1.1: unit vectors"),
                Refused([.. Recipe, $"model.class_embeddings={Npy("raw.npy", 4, 0.1f, length)}"]));
        }

        Assert.Contains("no such file", Refused([.. Recipe, $"model.class_embeddings={_data.At("none.npy")}"]));
        Assert.False(Directory.Exists(run));
    }

    [Theory]
    [InlineData(PromptDropout.Batch)]
    [InlineData(PromptDropout.Picture)]
    public void DropoutOfThePromptsIsDrawnForABatchOrAPicture(object per)
    {
        using var device = new CpuDevice(1);
        using ClipModel clip = TinyClip.Load(device);
        var config = new PromptConfig { Vision = 3, Dropout = 0.5, DropoutPer = (PromptDropout)per };
        using var prompts = new VisionPrompts(new Initializer(device, 1), clip.Config, config);
        float[] picture = [.. Enumerable.Range(0, 3 * 96 * 96).Select(i => MathF.Sin(i * 0.37f))];
        using Tensor twice = device.FromHost([.. picture, .. picture], new Shape(2, 3, 96, 96));
        float[] Encode(bool recording)
        {
            using var tape = new Tape(device, recording, 9);
            return prompts.Encode(tape, clip.Visual, twice, false).Class.Value.ToArray();
        }

        float[] training = Encode(recording: true), inference = Encode(recording: false);
        int width = training.Length / 2;
        Assert.Equal((PromptDropout)per == PromptDropout.Batch, training.AsSpan(0, width).SequenceEqual(training.AsSpan(width)));
        Assert.Equal(inference[..width], inference[width..]);
        Assert.NotEqual(inference[..width], training[..width]);
    }

    private static (int Code, string Out, string Error) Eval(string checkpoint, string config, string[] settings) =>
        CommandLine.Run([.. SmallRun.Verb("eval", config, settings), "--checkpoint", checkpoint]);

    // All but progress, which has times in it.
    private static string[] Scores(string text) =>
        [.. text.Split('\n').Where(line => line.StartsWith("pAcc", StringComparison.Ordinal) || line.Contains("seen", StringComparison.Ordinal))];

    private string Npy(string name, int rows, float step, float length = 1)
    {
        string path = _data.At(name);
        float Length(int row) => MathF.Sqrt(Enumerable.Range(64 * row, 64).Sum(i => MathF.Pow(MathF.Cos(i * step), 2)));
        File.WriteAllBytes(path, NpyBytes.Half(rows, 64, i => MathF.Cos(i * step) / Length(i / 64) * length));
        return path;
    }
}
