using Ldvc.Configuration;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Configuration;

public sealed class ConfigLoaderTests
{
    [Fact]
    public void AnEmptyFileIsThePublishedRecipe()
    {
        LdvcConfig c = ConfigFiles.Load("");
        Assert.Equal((10, 4, 0.1), (c.Model.Prompts.Vision, c.Model.Prompts.Text, c.Model.Prompts.Dropout));
        Assert.Equal(
            (3, 8, 4, 8, 16),
            (c.Model.Decoder.Layers, c.Model.Decoder.Heads, c.Model.Decoder.FfnRatio, c.Model.Decoder.Windows, c.Model.Decoder.Topk));
        Assert.Equal(
            (DecoderKind.VisionQuery, SelfAttention.Route, MaskHead.Attention), (c.Model.Decoder.Kind, c.Model.Decoder.Attention, c.Model.Head));
        Assert.Equal(["a photo of a {class}"], c.Model.Template);
        Assert.Equal((100, 1, 0.25), (c.Loss.Focal, c.Loss.Dice, c.Loss.Alpha));
        Assert.Equal((16, 20000, 2e-4, 0.01, 1e-8), (c.Train.Batch, c.Train.Iterations, c.Train.Lr, c.Train.WeightDecay, c.Train.Eps));
        Assert.Equal((1500, 1e-6, 0.9, 1e-6), (c.Train.Warmup, c.Train.WarmupRatio, c.Train.PolyPower, c.Train.MinLr));
        Assert.Equal([0.9, 0.999], c.Train.Betas);
        Assert.Equal([2048, 512], c.Augment.Scale);
        Assert.Equal(
            (512, 0.75, 10, 0.5, 32, 18),
            (c.Augment.Crop, c.Augment.CatMaxRatio, c.Augment.CropTries, c.Augment.Flip, c.Augment.Brightness, c.Augment.Hue));
        Assert.Equal((512, 512, 426, 0.1, null), (c.Eval.ShortSide, c.Eval.Window, c.Eval.Stride, c.Eval.SeenPenalty, c.Eval.Background));
    }

    [Fact]
    public void SyntheticDefaultsAreThoseOfTheSampler()
    {
        var data = new SyntheticConfig();
        var scene = Ldvc.Lab.Synthetic.SceneOptions.Shapes;
        Assert.Equal(scene, Ldvc.Lab.Synthetic.SceneOptions.Of(data));
    }

    [Fact]
    public void ReadsEveryKindOfValue()
    {
        LdvcConfig c = ConfigFiles.Load(
            """
            # comment
            model:
              cls_twice: true
              template: 'an image of {class}, "nice"'
              decoder: {kind: class-query, layers: 2}
            data:
              kind: coco-stuff
              root: ~
              unseen: [traffic light, "yes", 5]
            augment: {ratio: [1, 2.5e0], scale: [640, 320]}
            eval:
              background: 0.25
            train:
            """);
        Assert.True(c.Model.ClsTwice);
        Assert.Equal(["an image of {class}, \"nice\""], c.Model.Template);
        Assert.Equal((DecoderKind.ClassQuery, 2, 8), (c.Model.Decoder.Kind, c.Model.Decoder.Layers, c.Model.Decoder.Heads));
        Assert.Equal((DataKind.CocoStuff, null), (c.Data.Kind, c.Data.Root));
        Assert.Equal(["traffic light", "yes", "5"], c.Data.Unseen);
        Assert.Equal([1, 2.5], c.Augment.Ratio);
        Assert.Equal([640, 320], c.Augment.Scale);
        Assert.Equal(0.25, c.Eval.Background);
        Assert.Equal(16, c.Train.Batch);
    }

    // As programs write them that know no other texts.
    [Theory]
    [InlineData("{\"model\": {\"head\": \"dot\"}, \"ablate\": {\"rows\": [\"zegclip\", \"ldvc\"]}}")]
    [InlineData("model: {head: 'dot'}\nablate: {rows: ['zegclip', \"ldvc\"]}")]
    [InlineData("", "model.head='dot'", "ablate.rows=[\"zegclip\", 'ldvc']")]
    public void ChoicesMayStandInQuotes(string yaml, params string[] sets)
    {
        LdvcConfig c = ConfigFiles.Load(yaml, sets);
        Assert.Equal(MaskHead.Dot, c.Model.Head);
        Assert.Equal([AblationRow.Zegclip, AblationRow.Ldvc], c.Ablate.Rows);
    }

    [Fact]
    public void SetsGoOverTheFileInOrder()
    {
        LdvcConfig c = ConfigFiles.Load(
            "train: {lr: 1e-3, batch: 8}",
            "train.lr=5e-4",
            "train.lr=6e-4",
            "augment.ratio=[1, 1]",
            "data.root=a=b",
            "model.decoder={layers: 1, topk: 2}",
            "eval.background=");
        Assert.Equal((6e-4, 8), (c.Train.Lr, c.Train.Batch));
        Assert.Equal([1, 1], c.Augment.Ratio);
        Assert.Equal("a=b", c.Data.Root);
        Assert.Equal((1, 2, 8), (c.Model.Decoder.Layers, c.Model.Decoder.Topk, c.Model.Decoder.Heads));
        Assert.Null(c.Eval.Background);
    }

    [Fact]
    public void BasesMergeDeeplyAndLaterOnesWin()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("sub"));
        File.WriteAllText(folder.File("root.yaml"), "train: {lr: 1e-3, batch: 2, warmup: 7}\ndata: {unseen: [a, b]}");
        File.WriteAllText(folder.File("over.yaml"), "train: {batch: 4}");
        File.WriteAllText(folder.File("sub/mid.yaml"), "base: ../root.yaml\ntrain: {batch: 3, warmup: 8}");
        File.WriteAllText(folder.File("sub/top.yaml"), "train:\n  warmup: 9\nbase: [mid.yaml, ../over.yaml]\ndata: {unseen: [c]}");
        LdvcConfig c = ConfigLoader.Load(folder.File("sub/top.yaml"));
        Assert.Equal((1e-3, 4, 9), (c.Train.Lr, c.Train.Batch, c.Train.Warmup));
        Assert.Equal(["c"], c.Data.Unseen);
    }

    // As the page says: sections merge, anything else is replaced. A key below it names one entry alone.
    [Theory]
    [InlineData("{7: road, 24: person}", "7 road,24 person")]
    [InlineData("{}", "")]
    [InlineData(null, "7 road,8 sidewalk,24 rider", "data.values.24=rider")]
    [InlineData("{9: sky}", "9 sky,10 sun", "data.values.10=sun")]
    [InlineData("{9: sky}", "10 sun", "data.values={10: sun}")]
    [InlineData(null, "1 'a # b'", "data.values={1: \"'a # b'\"}")]
    public void NumbersWithNamesAreReplacedAsAWhole(string? over, string expected, params string[] sets)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("root.yaml"), "data: {kind: folder, values: {7: road, 8: sidewalk, 24: person}}");
        File.WriteAllText(folder.File("top.yaml"), "base: root.yaml\n" + (over is null ? "" : $"data: {{values: {over}}}"));
        Assert.Equal(
            expected, string.Join(',', ConfigLoader.Load(folder.File("top.yaml"), sets).Data.Values.Select(entry => $"{entry.Key} {entry.Value}")));
    }

    [Fact]
    public void ABaseMayLieInTheHomeFolderOrAVariable()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("root.yaml"), "train: {batch: 3}");
        Environment.SetEnvironmentVariable("LDVC_TEST_BASES", folder.Root);
        Assert.Equal(3, ConfigFiles.Load("base: ${LDVC_TEST_BASES}/root.yaml").Train.Batch);
    }

    // Learning curves are the business of a comparison: what trains, scores or checks reads them in a base and does nothing with them.
    [Fact]
    public void ACurveForMoreStepsConcernsComparisonsAlone()
    {
        LdvcConfig config = ConfigFiles.Load("ablate: {curve: [400, 2400]}", "train.iterations=100");
        Assert.Contains(
            "ablate.curve: expected steps of at most 100, the length of the training, found 2400.",
            Assert.Throws<Ldvc.Tensors.InputException>(() => Ldvc.Lab.Ablation.AblationPlan.Create(config, null)).Message);
    }

    [Fact]
    public void AWrongValueOfABaseIsReportedThere()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("root.yaml"), "train:\n  batch: many");
        File.WriteAllText(folder.File("top.yaml"), "base: root.yaml\ntrain: {lr: 1}");
        Assert.Equal("root.yaml:2: train.batch: expected a whole number from 1 to 65536, found 'many'.", ConfigFiles.Refuses(folder, "top.yaml"));
    }

    [Fact]
    public void BaseChainsThatDoNotEndAreRefused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("a.yaml"), "base: b.yaml");
        File.WriteAllText(folder.File("b.yaml"), "base: ./a.yaml");
        Assert.Contains("its own base", ConfigFiles.Refuses(folder, "a.yaml"));

        // Files that name the next one twice double the work at every step without ever being a cycle.
        for (int i = 0; i < 30; i++)
        {
            File.WriteAllText(folder.File($"d{i}.yaml"), i == 29 ? "" : $"base: [d{i + 1}.yaml, d{i + 1}.yaml]");
        }

        Assert.Contains("at most 64 files", ConfigFiles.Refuses(folder, "d0.yaml"));
    }

    [Fact]
    public void PrintedConfigurationReadsBackTheSame()
    {
        LdvcConfig c = ConfigFiles.Load(
            "data: {root: 'C:\\x: #1\t', unseen: ['null', ' a', \"é\\n\", '5', \"\U0001F600 \U00020000\"]}\nmodel: {template: \"{class}\"}",
            "train.lr=0.30000000000000004",
            "eval.background=1e-7",
            "train.seed=9223372036854775807");
        string printed = ConfigWriter.ToYaml(c);
        LdvcConfig again = ConfigFiles.Load(printed);
        Assert.Equal(printed, ConfigWriter.ToYaml(again));
        Assert.Equal(c.Data.Unseen, again.Data.Unseen);
        Assert.Equal((c.Data.Root, c.Model.Template[0], c.Eval.Background), (again.Data.Root, again.Model.Template[0], again.Eval.Background));
        Assert.Equal((0.30000000000000004, long.MaxValue), (again.Train.Lr, again.Train.Seed));
    }

    [Fact]
    public void AMissingPathIsAskedForByKey()
    {
        LdvcConfig c = ConfigFiles.Load("");
        var error = Assert.Throws<Ldvc.Tensors.InputException>(() => c.Require(c.Data.Root, "data.root", "the folder of the data set"));
        Assert.EndsWith(
            "c.yaml: data.root: expected the folder of the data set, but it is not set; write it into the file or add --set data.root=VALUE.",
            error.Message);
    }
}
