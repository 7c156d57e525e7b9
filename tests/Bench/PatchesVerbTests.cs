using System.Globalization;
using System.Text.RegularExpressions;
using Ldvc.Bench.Evidence;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Bench;

/// <summary>`bench patches`: of which scenes, and by which CLIP.</summary>
public sealed class PatchesVerbTests
{
    [Fact]
    public void ItMeasuresTheConfigurationsOwnScenes()
    {
        var (names, objects, patches) = Measure();
        Assert.Equal(64, names);
        Assert.InRange(objects, 85, 100);
        Assert.InRange(patches, 80, 100);

        // The same windows, noisier, and another world's.
        var (_, _, hidden) = Measure("data.synthetic.noise=120");
        Assert.InRange(hidden, 25, 75);
        Assert.Equal(50, Measure("data.synthetic.vocabulary=scenes").Names);
        Assert.NotEqual((names, objects, patches), Measure("data.synthetic.seed=5"));
    }

    [Theory]
    [InlineData("data.kind=folder", "found folder and ")]
    [InlineData("clip.path=null", "found synthetic and no clip.path")]
    public void WithoutScenesOrAClipThereIsNothingToMeasure(string set, string found)
    {
        string file = Path.Combine(ConfigFiles.Repository, "configs", "evidence", "hard.yaml");
        InputException error = Assert.Throws<InputException>(() => PatchesVerb.Describe(ConfigLoader.Load(file, [set]), file, 1, 1));
        Assert.Contains("hard.yaml: expected data.kind: synthetic and clip.path, " + found, error.Message);
    }

    private static (int Names, double Objects, double Patches) Measure(params string[] sets)
    {
        string file = Path.Combine(ConfigFiles.Repository, "configs", "evidence", "hard.yaml");
        string clip = Path.Combine(ConfigFiles.Repository, "assets", "evidence", "clip");
        string line = PatchesVerb.Describe(ConfigLoader.Load(file, [$"clip.path={clip}", .. sets]), file, 40, 1);
        Match match = Regex.Match(
            line, "^40 windows of 96 x 96 pixels, ([0-9]+) names: ([0-9.]+) % of the objects, ([0-9.]+) % of the patches of things$");
        Assert.True(match.Success, line);
        return (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), Number(2), Number(3));

        double Number(int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }
}
