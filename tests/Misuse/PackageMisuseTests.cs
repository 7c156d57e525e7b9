using Ldvc.Autograd;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Kernels;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>Public calls of the package Ldvc with arguments that are missing or make no sense.</summary>
public sealed class PackageMisuseTests : IDisposable
{
    private static readonly (string Argument, Action<Device> Call)[] s_null =
    [
        ("clip", d => Segmenter.FromClip(null!, d, ["a"])),
        ("device", _ => Segmenter.FromClip(TinyClip.Folder, null!, ["a"])),
        ("classes", d => Segmenter.FromClip(TinyClip.Folder, d, null!)),
        ("names", d => Segmenter.FromClip(TinyClip.Folder, d, [null!])),
        ("checkpoint", d => Segmenter.Load(null!, d, ["a"])),
        ("device", _ => Segmenter.Load("a", null!, ["a"])),
        ("classes", d => Segmenter.Load("a", d, null!)),
        ("path", d => ClipModel.Load(null!, d)),
        ("device", _ => ClipModel.Load("a", null!)),
        ("device", _ => ClipModel.Load("a", null!, Activation.Gelu)),
        ("path", d => ClipEmbedder.Load(null!, d)),
        ("device", _ => ClipEmbedder.Load("a", null!)),
        ("ids", _ => new ClipTokenizer(null!, [])),
        ("merges", _ => new ClipTokenizer(new Dictionary<string, int>(), null!)),
        ("path", _ => ConfigLoader.Load(null!)),
        ("sets", _ => ConfigLoader.Load("a", null!)),
        ("yaml", _ => ConfigLoader.Parse(null!, "a")),
        ("name", _ => new ClassList(["a"], "list").IndexOf(null!)),
        ("text", _ => ClassName.Parse(null!, "a")),
        ("seen", _ => new ZeroShotSplit(1, null!, [], "split")),
        ("unseen", _ => new ZeroShotSplit(1, [0], null!, "split")),
        ("pixels", _ => new RgbImage(2, 2, null!)),
        ("labels", _ => new LabelMap(2, 2, null!)),
        ("labels", _ => LabelMap.FromWide(2, 2, null!)),
        ("path", _ => ImageReader.Read(null!)),
        ("path", _ => LdvcCheckpoint.Open(null!)),
        ("clipPath", d => LoadedModel.Create((string)null!, new ModelConfig(), d, 1)),
        ("config", d => LoadedModel.Create("a", null!, d, 1)),
        ("device", _ => LoadedModel.Create("a", new ModelConfig(), null!, 1)),
        ("loaded", _ => new LdvcTrainer(null!, null!, new LdvcConfig())),
        ("loaded", _ => Evaluator.Run(null!, null!, new LdvcConfig())),
        ("config", d => TrainingRun.Run(null!, "a", false, d, null!, null!, CancellationToken.None)),
        ("root", d => TrainingRun.Run(new LdvcConfig(), null!, false, d, null!, null!, CancellationToken.None)),
        ("device", _ => TrainingRun.Run(new LdvcConfig(), "a", false, null!, null!, null!, CancellationToken.None)),
        ("datasets", d => TrainingRun.Run(new LdvcConfig(), "a", false, d, null!, null!, CancellationToken.None)),
    ];

    private readonly CpuDevice _device = new(1);

    [Fact]
    public void WhatIsMissingIsNamed() => Assert.All(
        s_null, each => Assert.Equal(each.Argument, Assert.Throws<ArgumentNullException>(() => each.Call(_device)).ParamName));

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(2, 0)]
    [InlineData(100_000, 100_000)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void APictureHasASize(int width, int height)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RgbImage(width, height));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelMap(width, height));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-0.1)]
    [InlineData(1.5)]
    [InlineData(double.PositiveInfinity)]
    public void AThresholdIsAProbability(double threshold)
    {
        using Segmenter segmenter = Segmenter.FromClip(TinyClip.Folder, _device, ["cat"]);
        string said = Assert.Throws<ArgumentOutOfRangeException>(() => segmenter.Label(new RgbImage(20, 20), "p", threshold)).Message;
        Assert.StartsWith($"label: expected a threshold from 0 to 1, got {threshold}", said, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => segmenter.Label(null!));
    }

    [Fact]
    public void ASplitKnowsItsIds()
    {
        var split = new ZeroShotSplit(2, [0], [1], "split");
        foreach (int id in new[] { -1, 2, int.MinValue })
        {
            Assert.Contains("expected a train id from 0 to 1", Assert.Throws<ArgumentOutOfRangeException>(() => split.IsSeen(id)).Message);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new ZeroShotSplit(-1, [], [], "split"));
    }

    [Theory]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.None)]
    [InlineData((Activation)99)]
    public void AClipHasOneOfTwoActivations(Activation activation)
    {
        string said = Assert.Throws<ArgumentOutOfRangeException>(() => ClipModel.Load(TinyClip.Folder, _device, activation)).Message;
        Assert.StartsWith($"CLIP: expected QuickGelu or Gelu as its activation, got {activation}", said, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipEmbedder.Load(TinyClip.Folder, _device, activation));
    }

    // Texts of other lengths each were cut anew where their sum allowed it: words of one became those of another.
    [Fact]
    public void ClipRefusesWhatItCannotEncode()
    {
        using var other = new CpuDevice(1);
        using ClipModel clip = ClipModel.Load(TinyClip.Folder, _device);
        using var tape = new Tape(_device, recording: false);
        int side = clip.Config.ImageSize, context = clip.Config.ContextLength;
        (string Said, Func<Variable> Call)[] all =
        [
            ("text 1 has 4 token ids", () => clip.EncodeTexts(tape, [[1, 2], [1, 2, 3, 4]])),
            ("text 0 has 0 token ids", () => clip.EncodeTexts(tape, [[]])),
            ($"text 0 has {context + 1} token ids", () => clip.EncodeTexts(tape, [new int[context + 1]])),
            ("expected at least 1 text", () => clip.EncodeTexts(tape, [])),
            ("the ids of text 0 are null", () => clip.EncodeTexts(tape, [null!])),
            ("vision tower: pictures Float32 [3, 5]", () => clip.EncodeImages(tape, _device.Zeros(new Shape(3, 5)))),
            ("vision tower: pictures Float32 [0, 3,", () => clip.EncodeImages(tape, _device.Zeros(new Shape(0, 3, side, side)))),
            ("vision tower: pictures UInt8 [1, 3,", () => clip.EncodeImages(tape, _device.Zeros(new Shape(1, 3, side, side), DType.UInt8))),
            ("expected a tensor on the tape's device", () => clip.EncodeImages(tape, other.Zeros(new Shape(1, 3, side, side)))),
        ];
        Assert.All(all, each => Assert.Contains(each.Said, Assert.ThrowsAny<ArgumentException>(each.Call).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void AnEmbedderNamesWhatIsMissing()
    {
        using ClipEmbedder embedder = ClipEmbedder.Load(TinyClip.Folder, _device);
        CancellationToken stop = TestContext.Current.CancellationToken;
        Assert.Equal("texts", Assert.Throws<ArgumentNullException>(() => embedder.EmbedTexts(null!, cancellation: stop)).ParamName);
        Assert.Equal("files", Assert.Throws<ArgumentNullException>(() => embedder.EmbedImages(null!, stop)).ParamName);
        Assert.Equal("names", Assert.Throws<ArgumentNullException>(() => embedder.EmbedClasses(null!, ["a {class}"], stop)).ParamName);
        Assert.Contains("text 1 is null", Assert.Throws<ArgumentNullException>(() => embedder.EmbedTexts(["a", null!], cancellation: stop)).Message);
        Assert.Contains("name 0 is null", Assert.Throws<ArgumentNullException>(() => embedder.EmbedClasses([null!], ["a {class}"], stop)).Message);
        Assert.Equal("templates", Assert.Throws<ArgumentNullException>(() => embedder.EmbedClasses(["a"], null!, stop)).ParamName);
    }

    // A configuration that was made in code has no file to name.
    [Fact]
    public void ASettingThatWasMadeInCodeIsNamedFirst()
    {
        using var model = LoadedModel.Create(TinyClip.Folder, new ModelConfig(), _device, 1);
        var dataset = new Data.MemoryDataset(6);
        var augment = new AugmentConfig { Scale = [64, 48], Crop = 32 };
        var registry = DatasetRegistry.Files;
        string Refusal(Action call) => Assert.Throws<InputException>(call).Message;
        void Train(LdvcConfig config) => new LdvcTrainer(model, dataset, config).Dispose();
        string[] all =
        [
            Refusal(() => Train(new LdvcConfig { Augment = augment with { Crop = 30 } })),
            Refusal(() => Train(new LdvcConfig { Augment = augment, Train = new TrainConfig { Batch = 3, Accumulate = 2 } })),
            Refusal(() => Train(new LdvcConfig { Augment = augment, Train = new TrainConfig { Lr = -1 } })),
            Refusal(() => registry.OpenTraining(new LdvcConfig { Data = new DataConfig { Kind = DataKind.Synthetic } })),
            Refusal(() => registry.OpenTraining(new LdvcConfig { Data = new DataConfig { Kind = DataKind.Folder } })),
        ];
        string[] named = ["augment.crop is 30", "train.accumulate:", "train.lr:", "data.kind:", "data.root:"];
        Assert.All(all.Zip(named), each => Assert.StartsWith(each.Second, each.First, StringComparison.Ordinal));
    }

    [Fact]
    public void WhatWasDisposedOfSaysSo()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        using var folder = new TempFolder();
        string file = folder.File("x.safetensors");
        var model = LoadedModel.Create(TinyClip.Folder, new ModelConfig(), _device, 1);
        var config = new LdvcConfig { Augment = new AugmentConfig { Scale = [64, 48], Crop = 32 } };
        var trainer = new LdvcTrainer(model, new Data.MemoryDataset(6), config);
        var optimizer = new AdamW(model.Model.Parameters());
        var embedder = ClipEmbedder.Load(TinyClip.Folder, _device);
        var segmenter = Segmenter.FromClip(TinyClip.Folder, _device, ["cat"]);
        model.Model.Save(file);
        var archive = TensorArchive.Open(file);
        string name = archive.Entries.Keys.First();
        Array.ForEach<IDisposable>([trainer, optimizer, embedder, segmenter, archive], each => each.Dispose());
        (string Said, Action Call)[] all =
        [
            ("LdvcTrainer", () => trainer.RunStep()),
            ("LdvcTrainer", () => trainer.Compose()),
            ("AdamW", () => optimizer.Step(1)),
            ("AdamW", () => optimizer.Save(file)),
            ("AdamW", () => optimizer.Load(file)),
            ("ClipEmbedder", () => embedder.EmbedTexts(["a"], cancellation: stop)),
            ("ClipEmbedder", () => embedder.EmbedImages([], stop)),
            ("ClipEmbedder", () => embedder.EmbedClasses(["a"], ["a {class}"], stop)),
            ("Segmenter", () => segmenter.Label(new RgbImage(8, 8))),
            ($"{file}: read after the archive was disposed of", () => archive.ReadFloat32(name)),
            ($"{file}: read after the archive was disposed of", () => archive.Read(name, _device)),
        ];
        Assert.All(all, each => Assert.Contains(each.Said, Assert.Throws<ObjectDisposedException>(each.Call).Message, StringComparison.Ordinal));
        Assert.Equal(0, optimizer.Steps);
        model.Dispose();
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    public void Dispose() => _device.Dispose();
}
