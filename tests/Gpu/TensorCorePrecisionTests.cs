using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>train.precision and --precision reach the device, which may refuse them.</summary>
public class TensorCorePrecisionTests
{
    [Fact]
    public void TrainingInBf16NeedsTensorCores()
    {
        using var data = new TinyData();
        string run = data.At("run");
        var (code, _, error) = CommandLine.Run(SmallRun.Arguments(SmallRun.OwnConfig(data), run, "train.precision=bf16"));
        Assert.Equal(2, code);
        Assert.Contains("precision bf16: device cpu computes in fp32 only", error);
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public void PretrainingInTf32NeedsTensorCores()
    {
        using var data = new TinyData();
        string folder = data.At("clip");
        var (code, _, error) = CommandLine.Run(
            "pretrain", SmallRun.Config("demo/pretrain"), "--set", "pretrain.precision=tf32", "--set", $"pretrain.out={folder}");
        Assert.Equal(2, code);
        Assert.Contains("precision tf32: device cpu computes in fp32 only", error);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void OtherPrecisionsAreErrors()
    {
        using var data = new TinyData();
        var (code, _, error) = CommandLine.Run(SmallRun.Arguments(SmallRun.OwnConfig(data), data.At("run"), "train.precision=fp8"));
        Assert.Equal(2, code);
        Assert.Contains("train.precision", error);
    }

    [Theory]
    [InlineData("tf32")]
    [InlineData("bf16")]
    [InlineData("fp16")]
    public void OtherVerbsNeedTensorCoresToo(string precision)
    {
        using var data = new TinyData();
        string run = data.At("run"), config = SmallRun.OwnConfig(data), output = data.At("out"), picture = data.At("picture.jpg");
        SmallRun.Train(config, run, "train.iterations=1");
        RealFormats.Jpeg(RealFormats.Scene(64, 64, 5, 2, [0, 1]).Picture, picture);
        string checkpoint = SmallRun.Checkpoint(run, 1);
        string[][] verbs =
        [
            [.. SmallRun.Verb("eval", config), "--checkpoint", checkpoint],
            ["segment", picture, "--checkpoint", checkpoint, "--classes", "cat, sky", "--out", output],
            ["compare", "--clip", TinyClip.Folder, "--reference", TestFiles.Data("golden", "ldvc-route.safetensors")],
        ];
        Assert.All(verbs, verb => Assert.Contains(
            $"precision {precision}: device cpu computes in fp32 only; cuda with an sm_80 card or newer, or simulator, has tf32, bf16 and fp16",
            CommandLine.Refuses([.. verb, "--precision", precision])));
        Assert.False(Directory.Exists(output));
        Assert.All(
            verbs,
            verb => Assert.Contains("--precision: expected fp32, tf32, bf16 or fp16, found ", CommandLine.Refuses([.. verb, "--precision", "fp8"])));
    }
}
