using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

public sealed class MetricsLogTests
{
    [Fact]
    public void LinesAreThereAtOnceAndSayWhatJsonCannot()
    {
        using var folder = new TempFolder();
        string path = folder.File("metrics.jsonl");
        using var log = MetricsLog.Open(path, 0);
        log.Append(1, ("loss", 0.1), ("lr", 2e-4));
        log.Append(2, ("loss", double.NaN), ("x", double.NegativeInfinity));
        Assert.Equal([(1, 0.1)], Ldvc.Lab.Ablation.RunMetrics.Read(folder.Root, "loss"));
        Assert.Equal("{\"step\":1,\"loss\":0.1,\"lr\":0.0002}\n{\"step\":2,\"loss\":null,\"x\":null}\n", Read(path));
    }

    [Fact]
    public void ResumingDropsLaterStepsAndTornLines()
    {
        using var folder = new TempFolder();
        string path = folder.File("m.jsonl");
        File.WriteAllText(
            path, "{\"step\":1,\"loss\":1}\n{\"step\":2,\"miou\":0.5}\n{\"step\":2,\"loss\":2}\n{\"step\":3,\"loss\":3}\n{\"step\":1,\"lo");
        using (var log = MetricsLog.Open(path, 2))
        {
            log.Append(3, ("loss", 4));
        }

        Assert.Equal("{\"step\":1,\"loss\":1}\n{\"step\":2,\"miou\":0.5}\n{\"step\":2,\"loss\":2}\n{\"step\":3,\"loss\":4}\n", Read(path));
        MetricsLog.Open(path, 0).Dispose();
        Assert.Equal("", Read(path));
    }

    private static string Read(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
