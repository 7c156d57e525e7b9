using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Xunit;

namespace Ldvc.Tests.Configuration;

/// <summary>One sentence, several, or the published eighty, in a configuration and as class features.</summary>
public sealed class TemplateTests
{
    private static readonly string[] Two = ["a photo of a {class}", "the {class} in a field of grass"];

    [Theory]
    [InlineData("template: the {class}", "the {class}")]
    [InlineData("template: [the {class}]", "the {class}")]
    [InlineData("template: ['a {class}', imagenet-80, 'the {class}']", "a {class}|imagenet-80|the {class}")]
    [InlineData("template: imagenet-80", "imagenet-80")]
    public void TemplatesAreReadAndWrittenBack(string line, string expected)
    {
        LdvcConfig config = ConfigLoader.Parse($"model: {{{line.Replace("the {class}", "'the {class}'", StringComparison.Ordinal).Replace("''", "'", StringComparison.Ordinal)}, prompts: {{text: 0}}}}", "c");
        Assert.Equal(expected.Split('|'), config.Model.Template);
        Assert.Equal(config.Model.Template, ConfigLoader.Parse(ConfigWriter.ToYaml(config), "again").Model.Template);
    }

    [Fact]
    public void AListOfOneIsWrittenAsOne()
    {
        Assert.Contains("template: \"a photo of a {class}\"\n", ConfigWriter.ToYaml(new LdvcConfig()));
        Assert.Equal("a photo of a {class}", ((Dictionary<string, object?>)ConfigWriter.ToDictionary(new LdvcConfig())["model"]!)["template"]);
    }

    [Fact]
    public void ThePublishedListHasEightySentences()
    {
        string[] sentences = TextTemplates.Expand([TextTemplates.ImageNet]);
        Assert.Equal(80, sentences.Distinct().Count());
        Assert.All(sentences, sentence => Assert.Matches(@"^[a-z][a-z -]*\{class\}( in a video game)?\.$", sentence));
        Assert.Equal(("a bad photo of a {class}.", "a tattoo of the {class}."), (sentences[0], sentences[^1]));
    }

    [Fact]
    public void FeaturesAreMeansOfUnitVectorsAndUnitVectorsAgain()
    {
        string[] names = ["cat", "a much longer name of a thing", "sky"];
        using var device = new CpuDevice(1);
        float[][] single = [.. Two.Select(template => Embed(device, names, template))];
        float[] both = Embed(device, names, Two);
        for (int c = 0; c < names.Length; c++)
        {
            double[] sum = [.. Enumerable.Range(0, 64).Select(i => (double)single[0][(c * 64) + i] + single[1][(c * 64) + i])];
            double norm = Math.Sqrt(sum.Sum(v => v * v));
            Assert.All(sum.Select((v, i) => (v / norm, both[(c * 64) + i])), pair => Assert.Equal(pair.Item1, pair.Item2, 1e-6));
        }

        // The order of the names does not change a feature, and neither do the names beside it.
        float[] reversed = Embed(device, [.. names.Reverse()], Two);
        Assert.All(Enumerable.Range(0, 64), i => Assert.Equal(both[i], reversed[128 + i], 1e-6));
        using var embedder = ClipEmbedder.Load(TinyClip.Folder, device);
        Assert.Equal(both, embedder.EmbedClasses(names, Two, TestContext.Current.CancellationToken));
        Assert.Contains(
            "tokens with the template around it, expected at most the 32",
            Assert.Throws<InputException>(() => Embed(device, [string.Concat(Enumerable.Repeat("cat ", 40))], Two)).Message);
    }

    [Fact]
    public void TextPromptsTakeOneSentence()
    {
        using var device = new CpuDevice(1);
        var error = Assert.Throws<InputException>(() => LoadedModel.Create(TinyClip.Folder, new ModelConfig { Template = Two }, device, 0));
        Assert.Contains("model.template: expected one sentence for the 4 text prompts, which take the places of its words, found 2; ", error.Message);
    }

    private static float[] Embed(Device device, string[] names, params string[] templates)
    {
        using var loaded = LoadedModel.Create(
            TinyClip.Folder, new ModelConfig { Template = templates, Prompts = new PromptConfig { Text = 0 } }, device, 0);
        using Tensor features = loaded.EmbedClasses(names);
        return features.ToArray();
    }
}
