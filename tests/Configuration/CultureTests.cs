using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Configuration;

/// <summary>The libraries run inside programs of any culture: what they write and read does not follow it.</summary>
public sealed class CultureTests
{
    [Fact]
    public void AConfigurationReadsWhatItWrote() => Abroad(() =>
    {
        var config = new LdvcConfig { Train = new TrainConfig { Lr = 0.00015, Seed = 1234567 }, Eval = new EvalConfig { SeenPenalty = 0.25 } };
        string yaml = ConfigWriter.ToYaml(config);
        var read = ConfigLoader.Parse(yaml, "test");
        Assert.Equal((config.Train.Lr, config.Train.Seed, config.Eval.SeenPenalty), (read.Train.Lr, read.Train.Seed, read.Eval.SeenPenalty));
        Assert.Equal(InvariantYaml(config), yaml);
    });

    [Fact]
    public void ATensorPrintsWithPoints()
    {
        using var device = new CpuDevice();
        using var tensor = device.FromHost([1.5f, -0.25f, 1234567], new Shape(3));
        string here = tensor.ToValueString();
        Abroad(() => Assert.Equal(here, tensor.ToValueString()));
        Assert.Contains("1.5", here, StringComparison.Ordinal);
    }

    [Fact]
    public void MetricsAreJson() => Abroad(() =>
    {
        using var folder = new TempFolder();
        string path = folder.File("metrics.jsonl");
        using (var log = MetricsLog.Open(path, 0))
        {
            log.Append(1, ("loss", -1.25));
        }

        Assert.Equal("{\"step\":1,\"loss\":-1.25}\n", File.ReadAllText(path));
    });

    // A decimal comma, a minus sign that is no hyphen, and groups of digits: what cultures change about numbers.
    private static void Abroad(Action action)
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = ".";
        culture.NumberFormat.NegativeSign = "\u2212";
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = culture;
        try
        {
            action();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string InvariantYaml(LdvcConfig config)
    {
        var here = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return ConfigWriter.ToYaml(config);
        }
        finally
        {
            CultureInfo.CurrentCulture = here;
        }
    }
}
