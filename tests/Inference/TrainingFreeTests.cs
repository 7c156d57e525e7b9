using Ldvc.Autograd;
using Ldvc.Cases.Ops;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Xunit;
using ImageStatistics = Ldvc.Imaging.ImageStatistics;

namespace Ldvc.Tests.Inference;

/// <summary>Segmentation with a CLIP alone, against the same written plainly: averaged cosines, resized, a softmax over all names.</summary>
public sealed class TrainingFreeTests : IDisposable
{
    private const int Side = 64;
    private static readonly TrainingFreeConfig Config =
        new() { ShortSide = Side, Window = Side, Stride = 36, Template = ["a photo of a {class}", "the {class}"] };
    private readonly CpuDevice _device = new(1);

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(SelfSimilarity.Qq, false, 3)]
    [InlineData(SelfSimilarity.QqKk, true, 3)]
    [InlineData(SelfSimilarity.Plain, false, 3)]
    [InlineData(SelfSimilarity.Qq, true, 300)]
    public void LabelsAndProbabilitiesAreThoseOfTheEquations(SelfSimilarity attention, bool residual, int names)
    {
        TrainingFreeConfig config = Config with { Attention = attention, Residual = residual };
        string[] texts = [.. Enumerable.Range(0, names)
            .Select(i => names > 3 ? $"{(i % 2 == 0 ? "cat" : "sky")} {i}" : new[] { "cat", "dog", "blue sky" }[i])];
        var classes = new ClassList(texts.Chunk(2).Select(pair => string.Join(';', pair)), "test");
        RgbImage picture = TinyData.Pattern(100, Side, 3);
        using var model = TrainingFreeModel.Load(TinyClip.Folder, _device, config);
        double[][] expected = Probabilities(model, picture, texts, config.Scale);
        using Segmenter segmenter = FreeVocabulary.CreateSegmenter(model, config, new EvalConfig(), classes);
        var (labels, scores) = segmenter.Segment(picture);
        for (int i = 0; i < scores.Length; i++)
        {
            double best = expected.Max(plane => plane[i]);
            Assert.Equal(best, scores[i], 1e-4);
            Assert.Equal(best, expected.Where((_, n) => n / 2 == labels.Labels[i]).Max(plane => plane[i]), 1e-4);
        }

        Assert.True(attention == SelfSimilarity.Plain || labels.Labels.Distinct().Count() > 1);
        double threshold = scores.Order().ElementAt(scores.Length / 3);
        LabelMap some = segmenter.Segment(picture, threshold).Labels;
        Assert.Equal(labels.Labels.Select((label, i) => scores[i] < (float)threshold ? LabelMap.Ignore : label), some.Labels);
        float[] none = new float[classes.Count];
        Assert.InRange(
            segmenter.SegmentWithPenalties(picture, [none], threshold)[0].Labels.Zip(some.Labels).Count(pair => pair.First != pair.Second),
            0,
            scores.Length / 200);
    }

    [Fact]
    public void PlainWithResidualIsClipItself()
    {
        using var model = TrainingFreeModel.Load(TinyClip.Folder, _device, Config with { Attention = SelfSimilarity.Plain, Residual = true });
        using var tape = new Tape(_device, recording: false);
        using Tensor image = Window(TinyData.Pattern(Side, Side, 5), 0);
        float[] expected = model.Clip.Visual.EncodeDense(tape, image).Patches.Value.ToArray();
        Assert.Equal(expected, model.EncodePatches(tape, image).Value.ToArray(), (a, b) => Math.Abs(a - b) <= 2e-6f);
    }

    [Theory]
    [InlineData("attention: plain")]
    [InlineData("attention: qq+kk")]
    [InlineData("residual: true")]
    [InlineData("scale: 20")]
    [InlineData("template: 'a picture that shows {class}'")]
    [InlineData("short_side: 80")]
    [InlineData("window: 48, stride: 36")]
    [InlineData("stride: 10")]
    [InlineData("background: 0.4")]
    public void EveryOptionChangesWhatItIsThereToChange(string option)
    {
        LdvcConfig Read(string more) => ConfigLoader.Parse($"training_free: {{{more}}}", "c");
        RgbImage picture = TinyData.Pattern(160, 90, 3);
        (byte[] Labels, float[] Scores) Run(TrainingFreeConfig config)
        {
            using var model = TrainingFreeModel.Load(TinyClip.Folder, _device, config);
            using Segmenter segmenter = FreeVocabulary.CreateSegmenter(model, config, new EvalConfig(), ClassList.FromLine("cat,dog,blue sky", "c"));
            var (labels, scores) = segmenter.Segment(picture, config.Background);
            return (labels.Labels, scores);
        }

        const string Base = "short_side: 64, window: 64, stride: 36";
        string changed = string.Join(
            ", ", Base.Split(", ").Where(part => !option.Contains(part.Split(':')[0] + ":", StringComparison.Ordinal)).Append(option));
        var (before, after) = (Run(Read(Base).TrainingFree), Run(Read(changed).TrainingFree));
        Assert.True(option.StartsWith("background", StringComparison.Ordinal)
            ? !before.Labels.SequenceEqual(after.Labels) : !before.Scores.SequenceEqual(after.Scores));
    }

    [Fact]
    public void TheLibraryLabelsFromAClip()
    {
        using Segmenter segmenter = Segmenter.FromClip(TinyClip.Folder, _device, ["cat; kitten", "blue sky"], Config);
        SegmentResult result = segmenter.Label(TinyData.Pattern(100, 70, 4), "p.png");
        Assert.Equal(["cat", "blue sky"], result.Classes.Select(c => c.Name));
        Assert.Equal(1, result.Classes.Sum(c => c.Share), 1e-9);
        Assert.Contains(
            "found 'cat'",
            Assert.Throws<InputException>(() => Segmenter.FromClip(TinyClip.Folder, _device, ["a"], Config with { Template = ["cat"] })).Message);
        Assert.Contains(
            "a multiple of the patch",
            Assert.Throws<InputException>(() => Segmenter.FromClip(TinyClip.Folder, _device, ["a"], Config with { Window = 50 })).Message);
    }

    // Windows at 0 and 36 of a picture that is as high as they are.
    private double[][] Probabilities(TrainingFreeModel model, RgbImage picture, string[] names, double scale)
    {
        var sums = names.Select(_ => new double[picture.Width * Side]).ToArray();
        var counts = new int[picture.Width];
        using Tensor texts = model.EmbedClasses(names, TestContext.Current.CancellationToken);
        foreach (int left in new[] { 0, 36 })
        {
            using var tape = new Tape(_device, recording: false);
            using Tensor image = Window(picture, left);
            double[] z = [.. model.Forward(tape, image, tape.Constant(texts.Share())).Value.ToArray().Select(v => (double)v)];
            int grid = Side / 16, plane = grid * grid;
            for (int x = 0; x < Side; x++)
            {
                counts[left + x]++;
                for (int i = x; i < names.Length * Side * Side; i += Side)
                {
                    int c = i / Side / Side, y = i / Side % Side;
                    sums[c][(y * picture.Width) + left + x] += Formulas.Bilinear(z.AsSpan(c * plane, plane), grid, grid, y, x, Side, Side);
                }
            }
        }

        for (int i = 0; i < picture.Width * Side; i++)
        {
            double all = sums.Sum(plane => Math.Exp(scale * plane[i] / counts[i % picture.Width]));
            foreach (double[] plane in sums)
            {
                plane[i] = Math.Exp(scale * plane[i] / counts[i % picture.Width]) / all;
            }
        }

        return sums;
    }

    private Tensor Window(RgbImage picture, int left)
    {
        var pixels = new float[3 * Side * Side];
        for (int i = 0; i < pixels.Length; i++)
        {
            int c = i / Side / Side, y = i / Side % Side, x = i % Side;
            pixels[i] = ((picture.Pixels[(3 * ((y * picture.Width) + left + x)) + c] / 255f)
                - ImageStatistics.Clip.Mean[c]) / ImageStatistics.Clip.Std[c];
        }

        return _device.FromHost(pixels, new Shape(1, 3, Side, Side));
    }
}
