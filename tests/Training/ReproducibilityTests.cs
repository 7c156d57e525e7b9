using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>A run is a pure function of its configuration and seed: bit for bit, whatever may not matter.</summary>
public sealed class ReproducibilityTests
{
    [Fact]
    public void TheSameSeedGivesTheSameBytes()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data);
        byte[] Run(string name, params string[] more)
        {
            SmallRun.Train(config, data.At(name), more);
            return SHA256.HashData(File.ReadAllBytes(SmallRun.Checkpoint(data.At(name), 4)));
        }

        byte[] first = Run("first");
        Assert.Equal(first, Run("again"));
        string[] metrics = Metrics("first");
        Assert.Equal(5, metrics.Length);
        Assert.Equal(metrics, Metrics("again"));
        Assert.NotEqual(first, Run("other", "--seed", "1"));

        // Every line, but for how fast it went.
        string[] Metrics(string run) =>
            [.. File.ReadLines(data.At(run, "metrics.jsonl")).Select(line => Regex.Replace(line, "\"(images_per_second|data_wait)\":[^,}]+", ""))];
    }

    [Fact]
    public void NeitherThreadsNorTheLoaderChangeTheWeights()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data);
        float[] expected = Weights("plain");
        Assert.Equal(expected, Weights("threads", "--threads", "2"));
        Assert.Equal(expected, Weights("loader", "data.workers=3", "data.prefetch=5"));
        Assert.Equal(expected, Weights("cached", "data.cache=1"));
        Assert.Equal(expected, Weights("chatty", "train.log_every=3", "train.eval_every=1", "train.checkpoint_every=1", "train.keep=1"));

        float[] Weights(string name, params string[] more)
        {
            string[] arguments = [.. SmallRun.Arguments(config, data.At(name), [.. more.Where(m => m.Contains('='))])];

            // The last --threads given is the one that counts.
            arguments = more is ["--threads", var n] ? [.. arguments[..^2], "--threads", n] : arguments;
            (int code, _, string error) = CommandLine.Run(arguments);
            Assert.Equal((0, ""), (code, error));
            return RunFiles.Tensors(SmallRun.Checkpoint(data.At(name), 4));
        }
    }

    [Fact]
    public void PretrainingIsReproducibleAndResumes()
    {
        using var data = new TinyData();
        string[] settings =
        [
            "pretrain.steps=4", "pretrain.batch=8", "pretrain.warmup=1", "pretrain.checkpoint_every=2", "pretrain.log_every=1",
                "pretrain.vision.width=64",
            "pretrain.vision.layers=1", "pretrain.text.width=64", "pretrain.text.layers=1", "pretrain.embed=16",
        ];
        string[] Arguments(string name, params string[] more) =>
            ["pretrain", SmallRun.Config("demo/pretrain"),
                .. ((string[])[.. settings, $"pretrain.out={data.At(name)}"]).SelectMany(s => new[] { "--set", s }), "--threads", "1", .. more];

        (int code, _, string error) = CommandLine.Run(Arguments("whole"));
        Assert.Equal((0, ""), (code, error));

        // The second run is cut off after its first checkpoint by taking the rest away.
        (code, _, error) = CommandLine.Run(Arguments("resumed"));
        Assert.Equal((0, ""), (code, error));
        byte[] expected = File.ReadAllBytes(data.At("whole", "model.safetensors"));
        Assert.Equal(expected, File.ReadAllBytes(data.At("resumed", "model.safetensors")));
        Directory.Delete(data.At("resumed"), recursive: true);
        File.Delete(SmallRun.Checkpoint(data.At("resumed-run"), 4));
        (code, string text, error) = CommandLine.Run(Arguments("resumed", "--resume"));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("continuing after step 2", text);
        Assert.Equal(expected, File.ReadAllBytes(data.At("resumed", "model.safetensors")));
    }
}
