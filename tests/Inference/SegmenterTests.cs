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
using Ldvc.Tests.Kernels;
using Xunit;
using ImageStatistics = Ldvc.Imaging.ImageStatistics;

namespace Ldvc.Tests.Inference;

/// <summary>Sliding-window inference against method.md 9 written plainly, in double precision and with every canvas stored.</summary>
public sealed class SegmenterTests : IDisposable
{
    private static readonly string[] Names = ["cat", "dog", "blue sky"];
    private static readonly EvalConfig Options = new() { ShortSide = 64, Window = 64, Stride = 48, Batch = 1 };

    private readonly CpuDevice _device = new(1);
    private readonly LoadedModel _loaded;

    public SegmenterTests()
    {
        var model = new ModelConfig { Head = MaskHead.Dot, AdapterInit = AdapterInit.Identity, Decoder = new DecoderConfig { Layers = 1 } };
        _loaded = LoadedModel.Create(TinyClip.Folder, model, _device, 2);
    }

    public void Dispose()
    {
        _loaded.Dispose();
        _device.Dispose();
    }

    // As `ldvc segment`: what is no result stays.
    [Fact]
    public void WriteReplacesResultsAlone()
    {
        using var folder = new TinyData();
        using var segmenter = new Segmenter(
            _loaded.Model, _loaded.EmbedClasses(Names), new float[3], Options, ImageStatistics.Clip, new ClassList(Names, "test"));
        SegmentResult Result(string name) => segmenter.Label(TinyData.Pattern(40, 30), name);
        Result("up/a.jpg").Write(folder.Root);
        Result("a").Write(folder.Root);
        Assert.True(File.Exists(folder.At("a.json")) && File.Exists(folder.At("a.png")));
        folder.Text("""{"shapes": []}""", "b.json");
        folder.Mask(TinyData.Labels(40, 30, 0, 1), "c.png");
        byte[] drawn = File.ReadAllBytes(folder.At("c.png"));
        foreach ((string name, string file) in new[] { ("b.jpg", "b.json"), ("c", "c.png") })
        {
            Assert.Contains($"{folder.At(file)}: is there already", Assert.Throws<InputException>(() => Result(name).Write(folder.Root)).Message);
        }

        Assert.Equal("""{"shapes": []}""", File.ReadAllText(folder.At("b.json")));
        Assert.Equal(drawn, File.ReadAllBytes(folder.At("c.png")));

        // A hidden file, or one that no list of files shows in one line.
        foreach (string name in new[] { "", ".", "..", "a/", ".png", "a\0b", "a\nb" })
        {
            Assert.Contains("expected the name of a picture", Assert.Throws<InputException>(() => Result(name).Write(folder.Root)).Message);
        }

        Assert.Equal(5, Directory.GetFiles(folder.Root, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void AnExactShortSideHasNoLongestSide()
    {
        using var segmenter = new Segmenter(
            _loaded.Model, _loaded.EmbedClasses(Names), new float[3], Options with { ExactShortSide = true }, ImageStatistics.Clip);
        using var limited = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), new float[3], Options, ImageStatistics.Clip);
        const int Width = 300, Height = 20, Patch = 16;
        Assert.Equal(Patch * Patch * Width * Height / (960.0 * 64), segmenter.PatchArea(Width, Height), 1e-9);
        RgbImage picture = TinyData.Pattern(Width, Height, 3);
        var (labels, scores) = segmenter.Segment(picture);
        Assert.Equal((Width, Height), (labels.Width, labels.Height));
        Assert.NotEqual(limited.Segment(picture).Scores, scores);

        // Up to four to one, the limit is not reached and both are the same.
        RgbImage usual = TinyData.Pattern(75, 50, 4);
        Assert.Equal(limited.Segment(usual).Scores, segmenter.Segment(usual).Scores);
    }

    [Theory]
    [InlineData(64, 64, 64, 48)]    // one window
    [InlineData(100, 75, 64, 48)]   // 85x64: the second window moves back to end with the picture
    [InlineData(75, 200, 64, 48)]   // portrait
    [InlineData(160, 64, 64, 64)]   // windows without overlap
    [InlineData(200, 64, 64, 16)]   // up to four windows over a pixel
    [InlineData(67, 50, 50, 48)]    // lower than the window: padded to a multiple of the patch, and cut again
    [InlineData(9, 7, 40, 48)]      // enlarged, then back
    [InlineData(300, 20, 64, 48)]   // the long side stops at four short ones
    [InlineData(1, 1, 64, 48)]
    public void WindowsArePaddedAveragedAndResized(int width, int height, int shortSide, int stride)
    {
        RgbImage picture = TinyData.Pattern(width, height, 3);
        float[] penalty = [0.1f, 0, 0.05f];
        EvalConfig options = Options with { ShortSide = shortSide, Stride = stride };
        double[][] expected = Reference(picture, penalty, options);
        using var segmenter = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalty, options, ImageStatistics.Clip);
        var (labels, scores) = segmenter.Segment(picture);
        Assert.Equal((width, height), (labels.Width, labels.Height));
        for (int i = 0; i < labels.Labels.Length; i++)
        {
            double best = expected.Max(plane => plane[i]);
            Assert.Equal(best, scores[i], 2e-5);

            // The winner is the reference's, or one that ties with it within rounding.
            Assert.Equal(best, expected[labels.Labels[i]][i], 2e-5);
        }

        // Several windows at once, the last batch not full, are the same windows.
        using var batched = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalty, options with { Batch = 2 }, ImageStatistics.Clip);
        Assert.Equal(scores, batched.Segment(picture).Scores, (a, b) => Math.Abs(a - b) <= 1e-5f);
    }

    [Fact]
    public void SeveralPenaltiesTakeOnePassAndGiveTheSame()
    {
        RgbImage picture = TinyData.Pattern(100, 75, 6);
        float[][] penalties = [[0.1f, 0, 0.05f], [0, 0, 0], [0, 0.02f, 0.3f]];
        using var together = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalties[0], Options, ImageStatistics.Clip);
        LabelMap[] labels = together.SegmentWithPenalties(picture, penalties);
        Assert.Equal(3, labels.Length);
        Assert.NotEqual(labels[0].Labels, labels[2].Labels);
        for (int i = 0; i < 3; i++)
        {
            using var alone = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalties[i], Options, ImageStatistics.Clip);
            byte[] expected = alone.Segment(picture).Labels.Labels;

            // Pixels where two classes tie within rounding may differ.
            Assert.InRange(expected.Zip(labels[i].Labels).Count(pair => pair.First != pair.Second), 0, expected.Length / 500);
        }
    }

    // Canvases have a limit: names are taken in parts then, here one by one.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FewerNamesAtATimeGiveTheSame(bool flip)
    {
        RgbImage picture = TinyData.Pattern(100, 75, 6);
        float[][] penalties = [[0.1f, 0, 0.05f], [0, 0.02f, 0.3f]];
        EvalConfig options = Options with { Flip = flip };
        using var whole = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalties[0], options, ImageStatistics.Clip);
        using var parts = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalties[0], options, ImageStatistics.Clip) { MaxCanvas = 1 };
        var (labels, scores) = whole.Segment(picture);
        var (partLabels, partScores) = parts.Segment(picture);
        Assert.Equal(labels.Labels, partLabels.Labels);
        Assert.Equal(scores, partScores);
        Assert.Equal(
            whole.SegmentWithPenalties(picture, penalties).Select(map => map.Labels),
            parts.SegmentWithPenalties(picture, penalties).Select(map => map.Labels));
    }

    [Theory]
    [InlineData(300, 300)]
    [InlineData(300, 260)]
    [InlineData(600, 200)]
    [InlineData(5, 2)]
    [InlineData(255, 255)]
    public void AnyNumberOfNamesAndSynonymsGivesTheClassOfTheBest(int names, int classes)
    {
        // Names beyond the number of classes are synonyms, class after class.
        string[] texts = [.. Enumerable.Range(0, names).Select(i => $"{Names[i % 3]} {i}")];
        int[] owners = [.. Enumerable.Range(0, names).Select(i => (int)((long)i * classes / names))];
        var list = new ClassList(Enumerable.Range(0, classes).Select(c => string.Join(';', texts.Where((_, i) => owners[i] == c))), "test");
        Assert.Equal(classes, list.Count);
        Assert.Equal(owners, list.Owners);
        RgbImage picture = TinyData.Pattern(64, 50, 3);
        float[] penalty = [.. Enumerable.Range(0, names).Select(i => 0.01f * (owners[i] % 3))];
        double[][] expected = Reference(picture, penalty, Options, texts);
        using var segmenter = new Segmenter(_loaded.Model, _loaded.EmbedClasses(texts), penalty, Options, ImageStatistics.Clip, list);
        var (labels, scores) = segmenter.Segment(picture);
        LabelMap16 wide = Wide(labels);
        Assert.Equal(classes > 255, labels.IsWide);
        for (int i = 0; i < scores.Length; i++)
        {
            double best = expected.Max(plane => plane[i]);
            Assert.Equal(best, scores[i], 2e-5);
            Assert.Equal(best, expected.Where((_, n) => owners[n] == wide.Labels[i]).Max(plane => plane[i]), 2e-5);
        }

        double threshold = scores.Order().ElementAt(scores.Length / 3);
        LabelMap16 above = Wide(segmenter.Segment(picture, threshold).Labels);
        Assert.Equal(wide.Labels.Select((label, i) => scores[i] < (float)threshold ? LabelMap16.Unlabelled : label), above.Labels);
        SegmentResult result = segmenter.Label(picture, background: threshold);
        Assert.Equal(above.Labels, result.Labels.Labels);
        Assert.Equal(Enumerable.Range(0, classes).Select(c => (long)above.Labels.Count(l => l == c)), result.Classes.Select(c => c.Pixels));
        Assert.Equal(list, result.Classes.Select(c => c.Name));
        float[] perClass = [.. Enumerable.Range(0, classes).Select(c => 0.01f * (c % 3))];
        ushort[] together = Wide(segmenter.SegmentWithPenalties(picture, [new float[classes], perClass])[1]).Labels;
        Assert.InRange(together.Where((label, i) => label != wide.Labels[i]).Count(), 0, together.Length / 200);
    }

    private static LabelMap16 Wide(LabelMap labels) => labels.Wide ?? LabelMap16.From(labels);

    [Fact]
    public void TheSeenPenaltyDecidesBetweenCloseClasses()
    {
        RgbImage picture = TinyData.Pattern(90, 70, 4);
        int[] Counts(params float[] penalty)
        {
            using var segmenter = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), penalty, Options, ImageStatistics.Clip);
            byte[] labels = segmenter.Segment(picture).Labels.Labels;
            return [.. Enumerable.Range(0, 3).Select(c => labels.Count(l => l == c))];
        }

        Assert.Equal(90 * 70, Counts(1, 0, 1)[1]);
        Assert.Equal(90 * 70, Counts(1, 1, 0)[2]);

        // Without one, more than one class wins somewhere: the classes do not tie.
        Assert.True(Counts(0, 0, 0).Count(n => n > 90 * 70 / 20) > 1, string.Join(' ', Counts(0, 0, 0)));
    }

    [Fact]
    public void BelowTheThresholdIsBackground()
    {
        RgbImage picture = TinyData.Pattern(90, 70, 4);
        using var segmenter = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), new float[3], Options, ImageStatistics.Clip);
        var (plain, scores) = segmenter.Segment(picture);
        Assert.DoesNotContain(LabelMap.Ignore, plain.Labels);
        double threshold = scores.Order().ElementAt(scores.Length / 3);
        byte[] labels = segmenter.Segment(picture, threshold).Labels.Labels;
        for (int i = 0; i < labels.Length; i++)
        {
            Assert.Equal(scores[i] < (float)threshold ? LabelMap.Ignore : plain.Labels[i], labels[i]);
        }

        Assert.InRange(labels.Count(l => l == LabelMap.Ignore), 90 * 70 / 4, 90 * 70 / 3);
    }

    [Fact]
    public void APatchCoversMoreOfALargerPicture()
    {
        using var segmenter = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), new float[3], Options, ImageStatistics.Clip);
        int patch = _loaded.Model.Clip.Config.PatchSize;
        Assert.Equal(patch * patch, segmenter.PatchArea(100, 64), 1e-9);
        Assert.Equal(4 * patch * patch, segmenter.PatchArea(200, 128), 1e-9);
        Assert.Equal(patch * patch / 4.0, segmenter.PatchArea(32, 32), 1e-9);
    }

    [Fact]
    public void ClassEmbeddingsAreComputedOnce()
    {
        RgbImage picture = TinyData.Pattern(64, 64, 5);
        using var segmenter = new Segmenter(_loaded.Model, _loaded.EmbedClasses(Names), new float[3], Options, ImageStatistics.Clip);
        float[] before = segmenter.Segment(picture).Scores;

        // A text encoder that gives NaN would spoil everything, were it asked again.
        Tensor prompts = _loaded.Model.Parameters().Single(p => p.Name == "text.prompt").Parameter.Value;
        float[] spoilt = prompts.ToArray();
        Array.Fill(spoilt, float.NaN);
        prompts.CopyFromHost<float>(spoilt);
        Assert.Equal(before, segmenter.Segment(picture).Scores);
    }

    [Fact]
    public void OnlyInductiveTrainingHoldsSeenClassesBack()
    {
        var dataset = new MemoryDataset(2);
        var config = new LdvcConfig { Eval = new EvalConfig { ShortSide = 64, Window = 64, Stride = 48, SeenPenalty = 1 } };
        long[] Predicted(TrainSetting setting, SegmentationDataset data)
        {
            LdvcConfig own = config with { Train = config.Train with { Setting = setting } };
            using var segmenter = Evaluator.CreateSegmenter(_loaded, data, own);
            byte[] labels = segmenter.Segment(TinyData.Pattern(64, 64, 6)).Labels.Labels;
            return [.. Enumerable.Range(0, 4).Select(c => labels.LongCount(l => l == c))];
        }

        // Classes 0 and 2 are seen: a penalty of 1 leaves them nothing.
        long[] inductive = Predicted(TrainSetting.Inductive, dataset), transductive = Predicted(TrainSetting.Transductive, dataset);
        Assert.Equal(0, inductive[0] + inductive[2]);
        Assert.True(transductive[0] + transductive[2] > 0);
        Assert.Equal(transductive, Predicted(TrainSetting.Full, dataset));

        // Without unseen classes there is nobody to hold back for.
        Assert.Equal(transductive, Predicted(TrainSetting.Inductive, new ResplitDataset(dataset, ZeroShotSplit.AllSeen(4))));
    }

    [Theory]
    [InlineData(70, 48)]
    [InlineData(64, 65)]
    public void WindowsThatDoNotFitThePatchAreRefused(int window, int stride)
    {
        string message = Assert.Throws<InputException>(
            () => new Segmenter(
                _loaded.Model,
                _loaded.EmbedClasses(Names),
                new float[3],
                Options with { Window = window, Stride = stride },
                ImageStatistics.Clip)).Message;
        Assert.Contains($"eval.window is {window} and eval.stride {stride}; expected a multiple of the patch (16)", message);
    }

    // Scores of every class at every pixel of the picture.
    private double[][] Reference(RgbImage picture, float[] penalty, EvalConfig options, string[]? asked = null)
    {
        string[] names = asked ?? Names;
        double scale = Math.Min(
            4.0 * options.ShortSide / Math.Max(picture.Width, picture.Height), (double)options.ShortSide / Math.Min(picture.Width, picture.Height));
        int width = Math.Max(1, (int)((picture.Width * scale) + 0.5)), height = Math.Max(1, (int)((picture.Height * scale) + 0.5));
        RgbImage resized = width == picture.Width && height == picture.Height ? picture : ResizeLinear.Apply(picture, width, height);
        int fullWidth = width >= 64 ? width : (width + 15) / 16 * 16, fullHeight = height >= 64 ? height : (height + 15) / 16 * 16;
        int windowWidth = Math.Min(64, fullWidth), windowHeight = Math.Min(64, fullHeight);
        double[][] canvas = [.. names.Select(_ => new double[fullWidth * fullHeight])];
        var counts = new int[fullWidth * fullHeight];
        foreach (int top in Places(fullHeight, windowHeight, options.Stride))
        {
            foreach (int left in Places(fullWidth, windowWidth, options.Stride))
            {
                double[][] window = Window(resized, left, top, windowWidth, windowHeight, names);
                for (int y = 0; y < windowHeight; y++)
                {
                    for (int x = 0; x < windowWidth; x++)
                    {
                        int at = ((top + y) * fullWidth) + left + x;
                        counts[at]++;
                        for (int c = 0; c < names.Length; c++)
                        {
                            canvas[c][at] += window[c][(y * windowWidth) + x] - penalty[c];
                        }
                    }
                }
            }
        }

        return [.. canvas.Select(plane =>
        {
            var averaged = new double[width * height];
            for (int i = 0; i < averaged.Length; i++)
            {
                int at = (i / width * fullWidth) + (i % width);
                averaged[i] = plane[at] / counts[at];
            }

            return Stretch(averaged, width, height, picture.Width, picture.Height);
        })];
    }

    // Windows at multiples of the stride; one that would stick out ends with the picture instead.
    private static IEnumerable<int> Places(int side, int window, int stride)
    {
        int count = Math.Max((side - window + stride - 1) / stride, 0) + 1;
        return Enumerable.Range(0, count).Select(i => Math.Min(i * stride, side - window));
    }

    private double[][] Window(RgbImage picture, int left, int top, int width, int height, string[] names)
    {
        var pixels = new float[3 * width * height];
        for (int c = 0; c < 3; c++)
        {
            for (int y = 0; y < Math.Min(height, picture.Height - top); y++)
            {
                for (int x = 0; x < Math.Min(width, picture.Width - left); x++)
                {
                    float value = picture.Pixels[(3 * (((top + y) * picture.Width) + left + x)) + c] / 255f;
                    pixels[(((c * height) + y) * width) + x] = (value - ImageStatistics.Clip.Mean[c]) / ImageStatistics.Clip.Std[c];
                }
            }
        }

        using var tape = new Tape(_device, recording: false);
        using Tensor image = _device.FromHost(pixels, new Shape(1, 3, height, width));
        Variable logits = _loaded.Model.Forward(tape, image, tape.Constant(_loaded.EmbedClasses(names)));
        double[] z = [.. logits.Value.ToArray().Select(v => (double)v)];
        int plane = z.Length / names.Length;
        return [.. names.Select((_, c) => Stretch(z[(c * plane)..((c + 1) * plane)], logits.Shape[3], logits.Shape[2], width, height)
            .Select(Formulas.Sigmoid).ToArray())];
    }

    private static double[] Stretch(double[] plane, int width, int height, int newWidth, int newHeight)
    {
        var result = new double[newWidth * newHeight];
        for (int i = 0; i < result.Length; i++)
        {
            var (top, bottom, down) = Formulas.Axis(i / newWidth, height, newHeight);
            var (left, right, across) = Formulas.Axis(i % newWidth, width, newWidth);
            double above = (plane[(top * width) + left] * (1 - across)) + (plane[(top * width) + right] * across);
            double below = (plane[(bottom * width) + left] * (1 - across)) + (plane[(bottom * width) + right] * across);
            result[i] = (above * (1 - down)) + (below * down);
        }

        return result;
    }
}
