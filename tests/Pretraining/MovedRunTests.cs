using Ldvc.Lab.Pretraining;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Pretraining;

/// <summary>`ldvc pretrain OUT-run/config.yaml --resume` after OUT-run was moved.</summary>
public sealed class MovedRunTests
{
    [Theory]
    [InlineData("clip-run", "config.yaml", true)]
    [InlineData("clip-run", "mine.yaml", false)]
    [InlineData("clip", "config.yaml", false)]
    [InlineData("-run", "config.yaml", false)]
    public void TheClipGoesBesideTheRunThatGoesOn(string name, string file, bool expected)
    {
        using var folder = new TempFolder();
        string run = folder.File(name);
        Directory.CreateDirectory(run);
        Assert.Null(PretrainingRun.OutputOf(Path.Combine(run, file)));
        File.WriteAllText(Path.Combine(run, "metrics.jsonl"), "");
        Assert.Equal(expected ? folder.File("clip") : null, PretrainingRun.OutputOf(Path.Combine(run, file)));
    }

    [Fact]
    public void ABatchThatNoBufferHoldsIsRefused()
    {
        string message = Assert.Throws<Ldvc.Tensors.InputException>(() => CaptionBatches.CheckRoom(65536, 224)).Message;
        Assert.StartsWith("pretrain.batch: expected pictures that one buffer holds, found 65536 of 224x224", message);
        CaptionBatches.CheckRoom(128, 64);
    }
}
