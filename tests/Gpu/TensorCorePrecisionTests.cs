using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>train.precision reaches the device, which may refuse it.</summary>
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
    public void OtherPrecisionsAreErrors()
    {
        using var data = new TinyData();
        var (code, _, error) = CommandLine.Run(SmallRun.Arguments(SmallRun.OwnConfig(data), data.At("run"), "train.precision=fp8"));
        Assert.Equal(2, code);
        Assert.Contains("train.precision", error);
    }
}
