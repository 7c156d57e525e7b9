using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Data;

/// <summary>
/// Data sets and settings of somebody's own program that are not as they must be: each is named, where it was trained on without a word.
/// </summary>
public sealed class OwnDatasetTests : IDisposable
{
    private static readonly LdvcConfig Config = ConfigLoader.Parse(
        "data: {kind: folder}\naugment: {crop: 32, scale: [64, 32]}\nmodel: {prompts: {text: 0}, decoder: {layers: 1}}\n"
            + "train: {batch: 2, iterations: 2}\neval: {short_side: 32, window: 32, stride: 32}\n",
        "own.yaml");

    private readonly CpuDevice _device = new(1);
    private readonly LoadedModel _loaded;

    public OwnDatasetTests() => _loaded = LoadedModel.Create(TinyClip.Folder, Config.Model, _device, 0);

    public void Dispose()
    {
        _loaded.Dispose();
        _device.Dispose();
    }

    [Theory]
    [InlineData("label", "own: picture 'x0': label 9 at column 1, row 2, expected 0 to 3 or 255 (4 classes)")]
    [InlineData("wide label", "own: picture 'x0': label 300 at column 1, row 2, expected 0 to 3 or 65535 (4 classes)")]
    [InlineData("size", "own: picture 'x0': the label map is 8x9, expected 40x30 as the picture")]
    [InlineData("no labels", "own: picture 'x0': expected a label map, found null")]
    [InlineData("no picture", "own: picture 'x0': expected a picture, found null")]
    [InlineData("empty", "own: expected at least one picture, found none")]
    [InlineData("negative", "own: expected at least one picture, found -1")]
    [InlineData("split", "own: the split is over 5 classes, expected 4 as in the list of classes")]
    [InlineData("fine", null)]
    public void WhatIsWrongIsNamed(string fault, string? expected)
    {
        var dataset = new Own(fault);
        Exception? trained = Record.Exception(() =>
        {
            using var trainer = new LdvcTrainer(_loaded, dataset, Config);
            trainer.RunStep();
        });
        Exception? scored = Record.Exception(
            () => Evaluator.Run(_loaded, dataset, Config, cancellation: TestContext.Current.CancellationToken));
        Assert.Equal(expected, (trained as InputException)?.Message);
        Assert.Equal(expected, (scored as InputException)?.Message);
        Assert.Equal(expected is null, trained is null);
    }

    [Fact]
    public void LabelsBeyondTheClassesAreUnknownToWarnings()
    {
        Assert.Empty(MaskWarnings.Of(new Own("label")));
        Assert.True(new Own("label").ReadStored(0).HasUnknown);
        Assert.False(new Own("fine").ReadStored(0).HasUnknown);
    }

    [Fact]
    public void NamesAreAsManyAsClasses() => Assert.Contains(
        "expected a name for each of the 4 classes of own, got 2",
        Assert.Throws<ArgumentException>(() => Evaluator.Run(
            _loaded, new Own("fine"), Config, names: ["a", "b"], cancellation: TestContext.Current.CancellationToken)).Message);

    [Fact]
    public void AnOpenerGivesADataSet()
    {
        DatasetRegistry registry = DatasetRegistry.Files.With(DataKind.Folder, (_, _) => null!);
        Assert.Contains("gave null for part 'train'", Assert.Throws<InvalidOperationException>(() => registry.OpenTraining(Config)).Message);
        Assert.Throws<ArgumentNullException>(() => registry.With(DataKind.Folder, null!));
        Assert.Contains("class 1: expected a name, got null", Assert.Throws<ArgumentNullException>(() => new ClassList(["a", null!], "own")).Message);
    }

    [Fact]
    public void SettingsMadeInCodeHaveTheRangesOfAFile()
    {
        void Refused(string expected, Action act) => Assert.Equal(expected, Assert.Throws<InputException>(act).Message);
        TrainingFreeConfig free = new() { Template = ["{class}"] };
        void Segment(TrainingFreeConfig config) => Segmenter.FromClip(TinyClip.Folder, _device, ["a", "b"], config).Dispose();
        Segment(free with { Window = 64, Stride = 32 });
        Refused("training_free.scale: expected a number above 0, at most 1000, found nan.", () => Segment(free with { Scale = double.NaN }));
        Refused("training_free.background: expected a number from 0 to 1 (or nothing), found 3.", () => Segment(free with { Background = 3 }));
        Refused("training_free.short_side: expected a whole number from 16 to 8192, found 0.", () => Segment(free with { ShortSide = 0 }));
        Refused("training_free.stride: expected at most training_free.window = 448, found 1000.", () => Segment(free with { Stride = 1000 }));
        Refused("training_free.attention: expected one of plain, qq, qq+kk, found 7.", () => Segment(free with { Attention = (SelfSimilarity)7 }));
        Refused("model.decoder.layers: expected a whole number from 1 to 64, found 0.", () => LoadedModel.Create(
            TinyClip.Folder, new ModelConfig { Decoder = new DecoderConfig { Layers = 0 } }, _device, 0));
        Refused("model.template: expected text or a list of texts, found nothing.", () => LoadedModel.Create(
            TinyClip.Folder, new ModelConfig { Template = null! }, _device, 0));

        void Train(LdvcConfig config) => new LdvcTrainer(_loaded, new Own("fine"), config).Dispose();
        Train(Config);
        Refused(
            "own.yaml: train.batch: expected a whole number from 1 to 65536, found 0.",
            () => Train(Config with { Train = Config.Train with { Batch = 0 } }));
        Refused(
            "own.yaml: train.lr: expected a number of at least 0, found nan.",
            () => Train(Config with { Train = Config.Train with { Lr = double.NaN } }));
        Refused(
            "own.yaml: eval.stride: expected a whole number from 1 to 8192, found 0.",
            () => Evaluator.Run(_loaded, new Own("fine"), Config with { Eval = Config.Eval with { Stride = 0 } }));
        Refused(
            "own.yaml: eval.stride: expected a whole number from 1 to 8192, found 0.",
            () => TrainingRun.Run(
                Config with { Eval = Config.Eval with { Stride = 0 } },
                "none",
                false,
                _device,
                DatasetRegistry.Files,
                SilentMonitor.Instance,
                CancellationToken.None));
    }

    private sealed class Own(string fault) : SegmentationDataset
    {
        public override string Name => "own";

        public override ClassList Classes { get; } = new(["a", "b", "c", "d"], "own");

        public override ZeroShotSplit Split => ZeroShotSplit.WithUnseen(fault == "split" ? 5 : 4, [3], "own");

        public override int Count => fault switch { "empty" => 0, "negative" => -1, _ => 1 };

        public override string GetId(int index) => $"x{index}";

        public override RgbImage ReadImage(int index) => fault == "no picture" ? null! : TinyData.Pattern(40, 30);

        public override LabelMap ReadLabels(int index)
        {
            if (fault == "wide label")
            {
                var wide = new ushort[40 * 30];
                wide[0] = LabelMap.WideIgnore;
                wide[(2 * 40) + 1] = 300;
                return LabelMap.FromWide(40, 30, wide);
            }

            LabelMap labels = TinyData.Labels(40, 30, 0, 1, 255);
            labels.Labels[(2 * 40) + 1] = fault == "label" ? (byte)9 : (byte)2;
            return fault == "no labels" ? null! : labels;
        }

        public override (RgbImage Image, LabelMap Labels) Read(int index) => fault == "size"
            ? (ReadImage(index), new LabelMap(8, 9))
            : base.Read(index);
    }
}
