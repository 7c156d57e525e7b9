using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Kernels;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Xunit;
using ImageStatistics = Ldvc.Imaging.ImageStatistics;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClSegmentationTests(OpenClFixture fixture)
{
    [Theory]
    [InlineData(3, 4, 5, 20, 30, 26, 41)]
    [InlineData(15, 32, 32, 512, 683, 375, 500)]
    public void WindowsToLabels(int classes, int height, int width, int canvasHeight, int canvasWidth, int outputHeight, int outputWidth) =>
        SegmentationCases.Windows(fixture.Twin, classes, height, width, canvasHeight, canvasWidth, outputHeight, outputWidth);

    [Fact]
    public void PseudoLabels() => SegmentationCases.PseudoLabels(fixture.Twin, 2, 6, 4, 5, 50, 70);

    [Fact]
    public void PseudoLabelsOf32Bits() => SegmentationCases.PseudoLabels(fixture.Twin, 2, 300, 4, 5, 50, 70, wide: true);

    [Fact]
    public void TiesGoToTheLowerClassAndNanToTheFirst() => SegmentationCases.Ties(fixture.Twin);

    [Fact]
    public void ConfusionCountsEveryPixelOnce() => SegmentationCases.Confusion(fixture.Twin, 7, 100_003);

    // Kernels count a canvas's elements with 32 bits: of many names and a large picture it would have more.
    [Fact]
    public void ALargeCanvasIsFilledNameByName()
    {
        string[] names = ["cat", "dog", "blue sky"];
        var model = new ModelConfig { Head = MaskHead.Dot, Decoder = new DecoderConfig { Layers = 1 } };
        var options = new EvalConfig { ShortSide = 64, Window = 64, Stride = 48, Batch = 2 };
        using var loaded = LoadedModel.Create(TinyClip.Folder, model, fixture.Twin.Device, 2);
        using var whole = new Segmenter(loaded.Model, loaded.EmbedClasses(names), new float[3], options, ImageStatistics.Clip);
        using var parts = new Segmenter(loaded.Model, loaded.EmbedClasses(names), new float[3], options, ImageStatistics.Clip) { MaxCanvas = 1 };
        RgbImage picture = TinyData.Pattern(100, 75, 6);
        var (labels, scores) = whole.Segment(picture);
        var (partLabels, partScores) = parts.Segment(picture);
        Assert.Equal(labels.Labels, partLabels.Labels);
        Assert.Equal(scores, partScores);
    }

    [Fact]
    public void WindowOutsideTheCanvas()
    {
        var kernels = KernelSet.For(fixture.Twin.Device).Segmentation;
        using var x = fixture.Twin.Device.Zeros(new Shape(100));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => kernels.AddWindow(x, default, x, x, 1, 2, 2, 5, 5, 8, 8, 4, 0));
        Assert.Contains("5x5 at (4, 0) leaves the canvas of 8x8", error.Message);
    }
}

[Collection("simulator")]
public class SimulatorSegmentationTests(SimulatorFixture fixture)
{
    [Fact]
    public void WindowsToLabels() => SegmentationCases.Windows(fixture.Twin, 2, 2, 3, 9, 11, 7, 8);

    [Fact]
    public void PseudoLabels() => SegmentationCases.PseudoLabels(fixture.Twin, 1, 3, 2, 2, 7, 6);

    [Fact]
    public void PseudoLabelsOf32Bits() => SegmentationCases.PseudoLabels(fixture.Twin, 1, 3, 2, 2, 7, 6, wide: true);

    [Fact]
    public void Confusion() => SegmentationCases.Confusion(fixture.Twin, 3, 300);
}

internal static class SegmentationCases
{
    /// <summary>
    /// Two overlapping windows, then the argmax. Labels may differ only where two classes are as good as equal, which the scores show.
    /// </summary>
    internal static void Windows(
        Twin twin, int classes, int height, int width, int canvasHeight, int canvasWidth, int outputHeight, int outputWidth) =>
        twin.Check(5e-6, bench =>
        {
            Tensor z = bench.Normal(new Shape(classes, height, width), 2), penalty = bench.Normal(new Shape(classes), 0.1);
            Tensor canvas = bench.Floats(new Shape(classes, canvasHeight, canvasWidth), _ => 0f), counts = bench.Floats(
                new Shape(canvasHeight, canvasWidth), _ => 0f);
            Tensor best = bench.Output(outputHeight, outputWidth), second = bench.Output(outputHeight, outputWidth);
            Tensor labels = bench.Bytes(best.Shape, _ => 9), cut = bench.Bytes(best.Shape, i => (byte)(i % 5));
            var kernels = bench.Kernels.Segmentation;
            int windowWidth = canvasWidth * 2 / 3, left = canvasWidth - windowWidth;
            kernels.AddWindow(z, penalty, canvas, counts, classes, height, width, canvasHeight - 1, windowWidth, canvasHeight, canvasWidth, 0, 0);
            kernels.AddWindow(z, default, canvas, counts, classes, height, width, canvasHeight - 1, windowWidth, canvasHeight, canvasWidth, 1, left);
            kernels.Argmax(canvas, counts, labels, best, classes, canvasHeight, canvasWidth, outputHeight, outputWidth);
            kernels.Argmax(canvas, default, labels, second, classes, canvasHeight, canvasWidth, outputHeight, outputWidth);

            // A threshold in a gap between scores that both devices agree on.
            kernels.ApplyBackground(cut, bench.Floats(best.Shape, i => (i * 37 % 101) - 0.5f), 50, cut.Count);
            byte[] chosen = labels.ToArray<byte>();
            float[] scores = second.ToArray(), sums = canvas.ToArray();
            Assert.All(chosen, c => Assert.True(c < classes));
            if (canvasHeight == outputHeight && canvasWidth == outputWidth)
            {
                Assert.All(Enumerable.Range(0, chosen.Length), i => Assert.Equal(scores[i], sums[(chosen[i] * chosen.Length) + i]));
            }

            return [canvas, counts, best, second, cut];
        });

    /// <summary>Logits are multiples of 1/4 and sizes powers of two apart: both devices compute the same numbers, ties included.</summary>
    internal static void PseudoLabels(
        Twin twin, int batch, int classes, int height, int width, int imageHeight, int imageWidth, bool wide = false) => twin.Check(0, bench =>
    {
        int marker = wide ? 65536 : 254;
        var image = new Shape(batch, imageHeight, imageWidth);
        Tensor Labels(Func<int, int> value) => wide ? bench.Ints(image, value) : bench.Bytes(image, i => (byte)value(i));
        var z = bench.Floats(new Shape(batch, classes, height, width), i => i * 31 % 23 / 4f);
        Tensor labels = Labels(i => i / 3 % 3 == 0 ? marker : i % 7), same = Labels(i => i % 255);
        Tensor unseen = bench.Bytes(new Shape(classes), c => (byte)(c % 2)), none = bench.Bytes(new Shape(classes), _ => 0);
        bench.Kernels.Segmentation.PseudoLabels(z, labels, unseen, marker, batch, classes, height, width, imageHeight, imageWidth);
        bench.Kernels.Segmentation.PseudoLabels(z, same, none, marker, batch, classes, height, width, imageHeight, imageWidth);
        return [labels, same];
    });

    internal static void Ties(Twin twin) => twin.Check(0, bench =>
    {
        // Class 1 and 2 are equal; in the last column every class is NaN or minus infinity.
        var planes = bench.Floats(new Shape(3, 2, 4), i => i % 4 == 3 ? (i < 8 ? float.NaN : float.NegativeInfinity) : i < 8 ? i % 2 : 0.5f);
        Tensor labels = bench.Bytes(new Shape(2, 4), _ => 9), best = bench.Output(2, 4);
        bench.Kernels.Segmentation.Argmax(planes, default, labels, best, 3, 2, 4, 2, 4);
        return [labels];
    });

    internal static void Confusion(Twin twin, int classes, int count) => twin.Check(0, bench =>
    {
        Tensor truth = bench.Bytes(new Shape(count), i => (byte)(i * 7919L % 1009 % (classes + 2))), prediction = bench.Bytes(
            new Shape(count), i => (byte)(i / 5 % (classes + 1) == classes ? 255 : i / 5 % (classes + 1)));
        long[] pairs = new long[classes * (classes + 1)];
        pairs[1] = 5;
        bench.Kernels.Segmentation.Confusion(truth, prediction, pairs, classes, count);
        Assert.Equal(5 + truth.ToArray<byte>().Count(t => t < classes), pairs.Sum());
        return [bench.Floats(new Shape(pairs.Length), i => pairs[i])];
    });
}
