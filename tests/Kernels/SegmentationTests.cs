using Ldvc.Cases.Ops;
using Ldvc.Kernels.Segmentation;
using Ldvc.Kernels.Segmentation.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

[Collection("simd")]
public class SegmentationTests
{
    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void OverlappingWindowsAddUp(int bits)
    {
        const int classes = 3, h = 4, w = 5, windowHeight = 33, windowWidth = 150, canvasHeight = 40, canvasWidth = 201;
        (int Top, int Left)[] windows = [(0, 0), (7, 0), (0, 51), (7, 51), (3, 20)];
        var canvas = new double[classes * canvasHeight * canvasWidth];
        var counts = new float[canvasHeight * canvasWidth];
        float[] penalty = [0.1f, 0, 0.25f];
        Using(bits, 2, (device, kernels) =>
        {
            using var actual = device.Zeros(new Shape(classes, canvasHeight, canvasWidth));
            using var actualCounts = device.Zeros(new Shape(canvasHeight, canvasWidth));
            using var penalties = device.FromHost(penalty, new Shape(classes));
            for (int n = 0; n < windows.Length; n++)
            {
                var (top, left) = windows[n];
                float[] z = MaskLossReference.Logits((n + 1) * classes * h * w, 0, 3)[^(classes * h * w)..];
                double[] exact = Array.ConvertAll(z, v => (double)v);
                using var logits = device.FromHost(z, new Shape(classes, h, w));
                kernels.AddWindow(
                    logits, penalties, actual, actualCounts, classes, h, w, windowHeight, windowWidth, canvasHeight, canvasWidth, top, left);
                for (int i = 0; i < classes * windowHeight * windowWidth; i++)
                {
                    int c = i / (windowHeight * windowWidth), y = i / windowWidth % windowHeight, x = i % windowWidth;
                    int pixel = ((top + y) * canvasWidth) + left + x;
                    canvas[(c * canvasHeight * canvasWidth) + pixel] += Formulas.Sigmoid(
                        Resized(exact, c, h, w, y, x, windowHeight, windowWidth)) - penalty[c];
                    counts[pixel] += c == 0 ? 1 : 0;
                }
            }

            float[] values = actual.ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                Assert.Equal(canvas[i], values[i], 3e-6);
            }

            Assert.Equal(counts, actualCounts.ToArray());
            var error = Assert.Throws<ArgumentOutOfRangeException>(() =>
                kernels.AddWindow(actual, default, actual, actualCounts, classes, h, w, windowHeight, windowWidth, canvasHeight, canvasWidth, 8, 0));
            Assert.Contains("leaves the canvas", error.Message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(171, 24, 31, 37, 150, 256)]
    [InlineData(5, 24, 31, 24, 31, 128)]
    [InlineData(9, 50, 280, 21, 133, 512)]
    [InlineData(7, 40, 200, 33, 150, 256)]
    [InlineData(1, 5, 5, 9, 9, 256)]
    public void ArgmaxOfTheResizedAverage(int classes, int height, int width, int outputHeight, int outputWidth, int bits)
    {
        float[] canvas = MaskLossReference.Logits(classes * height * width, 0, 1);
        float[] counts = [.. Enumerable.Range(0, height * width).Select(i => (float)((i * 7 % 4) + 1))];
        double[] average = [.. canvas.Select((v, i) => (double)v / counts[i % (height * width)])];
        var (labels, best) = Argmax(canvas, counts, classes, height, width, outputHeight, outputWidth, bits, 2);
        for (int i = 0; i < labels.Length; i++)
        {
            double[] scores = [.. Enumerable.Range(0, classes)
                .Select(c => Resized(average, c, height, width, i / outputWidth, i % outputWidth, outputHeight, outputWidth))];
            Assert.Equal(scores.Max(), best[i], 5e-5);
            Assert.Equal(scores.Max(), scores[labels[i]], 5e-5);
        }

        var one = Argmax(canvas, counts, classes, height, width, outputHeight, outputWidth, bits, 1);
        Assert.Equal(labels, one.Labels);
        Assert.Equal(best, one.Best);
    }

    [Fact]
    public void TiesGoToTheLowerClass()
    {
        float[] canvas = [.. Enumerable.Repeat(-1f, 20), .. Enumerable.Repeat(0.5f, 20), .. Enumerable.Repeat(0.5f, 20)];
        var (labels, best) = Argmax(canvas, [.. Enumerable.Repeat(2f, 20)], 3, 4, 5, 7, 11, 256, 1);
        Assert.All(labels, x => Assert.Equal(1, x));
        Assert.All(best, x => Assert.Equal(0.25f, x));
    }

    [Fact]
    public void BackgroundAndConfusion() => Using(256, 1, (device, kernels) =>
    {
        using var labels = device.FromHost(new byte[] { 0, 1, 2, 1, 0, 2 }, new Shape(6));
        using var best = device.FromHost([0.5f, 0.2f, 0.3f, 0.9f, 0.29f, 0.31f], new Shape(6));
        kernels.ApplyBackground(labels, best, 0.3f, 6);
        byte[] predicted = labels.ToArray<byte>();
        Assert.Equal([0, 255, 2, 1, 255, 2], predicted);
        using var truth = device.FromHost(new byte[] { 0, 1, 1, 255, 2, 3 }, new Shape(6));
        var confusion = new long[12];
        confusion[0] = 100;
        kernels.Confusion(truth, labels, confusion, 3, 6);
        Assert.Equal([101, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1], confusion);
        Assert.Throws<ArgumentException>(() => kernels.Confusion(truth, labels, new long[11], 3, 6));
    });

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void PseudoLabelsReplaceOnlyTheMarker(int bits)
    {
        const int batch = 2, classes = 6, h = 3, w = 4, height = 45, width = 170, marker = 254;
        float[] z = MaskLossReference.Logits(batch * classes * h * w, 0, 2);
        double[] exact = Array.ConvertAll(z, v => (double)v);
        byte[] unseen = [0, 0, 1, 0, 1, 1];
        byte[] before = MaskLossReference.Labels(batch, 4, height, width, 21);
        for (int i = 0; i < before.Length; i++)
        {
            before[i] = before[i] is 1 or 7 ? (byte)marker : before[i];
        }

        Using(bits, 2, (device, kernels) =>
        {
            using var logits = device.FromHost(z, new Shape(batch, classes, h, w));
            using var labels = device.FromHost(before, new Shape(batch, height, width));
            using var allowed = device.FromHost(unseen, new Shape(classes));
            kernels.PseudoLabels(logits, labels, allowed, marker, batch, classes, h, w, height, width);
            byte[] after = labels.ToArray<byte>();
            Assert.Contains((byte)marker, before);
            for (int i = 0; i < after.Length; i++)
            {
                if (before[i] != marker)
                {
                    Assert.Equal(before[i], after[i]);
                    continue;
                }

                int image = i / (height * width) * classes;
                double[] scores = [.. Enumerable.Range(0, classes)
                    .Select(c => Resized(exact, image + c, h, w, i / width % height, i % width, height, width))];
                Assert.Equal(1, unseen[after[i]]);
                Assert.Equal(Enumerable.Range(0, classes).Where(c => unseen[c] == 1).Max(c => scores[c]), scores[after[i]], 2e-5);
            }

            // Without unseen classes there is nothing to write.
            using var none = device.Zeros(new Shape(classes), DType.UInt8);
            using var untouched = device.FromHost(before, new Shape(batch, height, width));
            kernels.PseudoLabels(logits, untouched, none, marker, batch, classes, h, w, height, width);
            Assert.Equal(before, untouched.ToArray<byte>());
        });
    }

    private static double Resized(double[] z, int plane, int height, int width, int y, int x, int outputHeight, int outputWidth) =>
        Formulas.Bilinear(z.AsSpan(plane * height * width, height * width), height, width, y, x, outputHeight, outputWidth);

    private static (byte[] Labels, float[] Best) Argmax(
        float[] canvas, float[] counts, int classes, int height, int width, int outputHeight, int outputWidth, int bits, int threads)
    {
        (byte[], float[]) result = default;
        Using(bits, threads, (device, kernels) =>
        {
            using var scores = device.FromHost(canvas, new Shape(classes, height, width));
            using var windows = device.FromHost(counts, new Shape(height, width));
            using var labels = device.Empty(new Shape(outputHeight, outputWidth), DType.UInt8);
            using var best = device.Empty(new Shape(outputHeight, outputWidth));
            kernels.Argmax(scores, windows, labels, best, classes, height, width, outputHeight, outputWidth);
            result = (labels.ToArray<byte>(), best.ToArray());
        });
        return result;
    }

    private static void Using(int bits, int threads, Action<CpuDevice, CpuSegmentation> body)
    {
        int before = SimdLevel.Bits;
        using var device = new CpuDevice(threads);
        using var kernels = new CpuSegmentation(device.Threads);
        try
        {
            SimdLevel.Bits = bits;
            body(device, kernels);
        }
        finally
        {
            SimdLevel.Bits = before;
        }
    }
}
