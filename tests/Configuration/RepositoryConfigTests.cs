using Ldvc.Configuration;
using Ldvc.Import;
using Xunit;

namespace Ldvc.Tests.Configuration;

public sealed class RepositoryConfigTests
{
    private static string Folder => Path.Combine(ConfigFiles.Repository, "configs");

    [Fact]
    public void EveryFileResolves()
    {
        string[] files = Directory.GetFiles(Folder, "*.yaml", SearchOption.AllDirectories);
        Assert.True(files.Length >= 28, $"{files.Length} files");
        foreach (string file in files)
        {
            ConfigLoader.Load(file);
        }
    }

    [Fact]
    public void TheBaseFileIsTheDefault() =>
        Assert.Equal(ConfigWriter.ToYaml(new LdvcConfig()), ConfigWriter.ToYaml(ConfigLoader.Load(Path.Combine(Folder, "base.yaml"))));

    // method.md 2 and 8.
    [Theory]
    [InlineData("voc", DataKind.Voc, 10, 20000, 10000)]
    [InlineData("coco-stuff", DataKind.CocoStuff, 100, 80000, 40000)]
    [InlineData("context", DataKind.Context, 10, 40000, 20000)]
    public void DataSetsHaveTheirPublishedSizes(string name, object kind, int prompts, int iterations, int transductive)
    {
        foreach (TrainSetting setting in Enum.GetValues<TrainSetting>())
        {
            LdvcConfig c = ConfigLoader.Load(Path.Combine(Folder, name, ConfigWriter.EnumName(setting) + ".yaml"));
            Assert.Equal((kind, prompts, setting), (c.Data.Kind, c.Model.Prompts.Vision, c.Train.Setting));
            Assert.Equal(setting == TrainSetting.Transductive ? transductive : iterations, c.Train.Steps);
            if (setting == TrainSetting.Transductive)
            {
                Assert.EndsWith($"runs/{name}-inductive/checkpoints/ckpt-{iterations / 2:D8}.safetensors", c.Train.Transductive.From);
            }
        }
    }

    [Fact]
    public void Ade20kAndCityscapesHaveTheirOfficialClasses()
    {
        DataConfig ade = ConfigLoader.Load(Path.Combine(Folder, "ade20k", "full.yaml")).Data;
        Assert.Equal((150, "wall", "rug", "chest of drawers", "pool table", "television receiver", "microwave", "flag"),
            (ade.Classes.Length, ade.Classes[0], ade.Classes[28], ade.Classes[44], ade.Classes[56], ade.Classes[89], ade.Classes[124],
                ade.Classes[149]));
        DataConfig city = ConfigLoader.Load(Path.Combine(Folder, "cityscapes", "full.yaml")).Data;
        Assert.Equal([7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33], city.Values.Select(entry => entry.Key));
        Assert.Equal(ConfigLoader.Load(Path.Combine(Folder, "cityscapes", "train-ids.yaml")).Data.Classes, city.Values.Select(entry => entry.Value));
        Assert.Equal(("road", "train", "bicycle"), (city.Values[0].Value, city.Values[16].Value, city.Values[18].Value));
    }

    // What `ldvc import` writes and what the published recipe says are one model: a checkpoint is refused beside a configuration of another.
    [Fact]
    public void CocoStuffHasThePublishedSentences()
    {
        string[] sentences = ConfigLoader.Load(Path.Combine(Folder, "coco-stuff", "zegclip.yaml")).Model.Template;
        Assert.Equal(15, sentences.Distinct().Count());
        Assert.Equal(ZegClipTemplates.CocoStuff, sentences);
    }

    // method.md 10.
    [Theory]
    [InlineData("zegclip", DecoderKind.ClassQuery, SelfAttention.None, 0)]
    [InlineData("language-driven", DecoderKind.VisionQuery, SelfAttention.None, 0)]
    [InlineData("self-attention", DecoderKind.VisionQuery, SelfAttention.Full, 0)]
    [InlineData("route", DecoderKind.VisionQuery, SelfAttention.Route, 0)]
    [InlineData("ldvc", DecoderKind.VisionQuery, SelfAttention.Route, 4)]
    public void BaselinesAreTheTable(string name, object decoder, object attention, int textPrompts)
    {
        foreach (string set in new[] { "voc", "coco-stuff", "context" })
        {
            LdvcConfig c = ConfigLoader.Load(Path.Combine(Folder, set, name + ".yaml"));
            Assert.Equal((decoder, attention, textPrompts), (c.Model.Decoder.Kind, c.Model.Decoder.Attention, c.Model.Prompts.Text));
            Assert.Equal(set, ConfigWriter.EnumName(c.Data.Kind));
        }
    }

    [Theory]
    [InlineData("voc")]
    [InlineData("coco-stuff")]
    [InlineData("context")]
    public void ZegClipIsItsAuthorsRecipeAndTheRowsAboveAreNot(string set)
    {
        static (bool, ImageStatistics, PromptDropout, bool, bool) Recipe(LdvcConfig c) =>
            (c.Model.ClsTwice, c.Data.ImageMean, c.Model.Prompts.DropoutPer, c.Eval.ExactShortSide, c.Augment.ExactShortSide);

        Assert.Equal(
            (true, ImageStatistics.Imagenet, PromptDropout.Picture, true, false),
            Recipe(ConfigLoader.Load(Path.Combine(Folder, set, "zegclip.yaml"))));
        foreach (string row in new[] { "language-driven", "self-attention", "route", "ldvc", "inductive" })
        {
            Assert.Equal(
                (false, ImageStatistics.Clip, PromptDropout.Batch, false, false),
                Recipe(ConfigLoader.Load(Path.Combine(Folder, set, row + ".yaml"))));
        }
    }

    [Fact]
    public void TheReferencePageIsUpToDate()
    {
        string path = Path.Combine(ConfigFiles.Repository, "docs", "configuration.md");
        if (Environment.GetEnvironmentVariable("LDVC_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, ConfigReference.ToMarkdown());
        }

        bool same = ConfigReference.ToMarkdown() == File.ReadAllText(path).ReplaceLineEndings("\n");
        Assert.True(same, "docs/configuration.md differs from the options: run this test with LDVC_WRITE_DOCS=1 to write it anew");
    }

    [Fact]
    public void EveryOptionIsDocumentedAndEveryDefaultLiesInItsRange()
    {
        foreach ((string key, ConfigOption option, string value) in ConfigWriter.Flatten(new LdvcConfig()))
        {
            Assert.True(option.Rule.Text.Length > 5, key);
            ConfigFiles.Load("", $"{key}={value}");
        }
    }
}
