using Ldvc.Cases.Ops;
using Ldvc.Kernels.Segmentation;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>
/// Inference (method.md 9) and pseudo labels (method.md 8). Where two classes are equal but for rounding either may win: labels are judged by their
/// score in float64, which must be the best one.
/// </summary>
internal static class SegmentationCases
{
    // Positions are single precision: an interpolation weight is off by up to 1e-7 of the input's size.
    private const double Tolerance = 5e-5;

    internal static IEnumerable<KernelCase> All =>
    [
        AddWindow(1, 1, 1, 1, 1, 1, 1, 0, 0), AddWindow(3, 4, 5, 9, 11, 12, 17, 2, 5), AddWindow(2, 3, 2, 33, 50, 40, 64, 7, 14), AddWindow(
            20, 32, 32, 512, 512, 512, 683, 0, 171, real: true),
        AddWindow(1, 1, 1, 1, 1, 1, 1, 0, 0, plain: true), AddWindow(3, 4, 5, 9, 11, 12, 17, 2, 5, plain: true),
        AddWindow(20, 28, 28, 448, 448, 448, 597, 0, 149, real: true, plain: true),
        Argmax(1, 1, 1, 1, 1, scale: 50),
        Argmax(7, 11, 13, 6, 5, scale: 3),
        Argmax(21, 20, 33, 37, 50, scale: 50),
        Argmax(20, 448, 597, 375, 500, real: true, scale: 50),
        ArgmaxWindows(1, 1, 1, 1, 1, 1, 1, 1, 1, [(0, 0)], scale: 50),
        ArgmaxWindows(5, 3, 4, 24, 32, 40, 150, 40, 150, [(0, 0), (0, 30), (16, 0), (16, 118), (10, 70)], scale: 2),
        ArgmaxWindows(4, 3, 3, 30, 30, 50, 45, 300, 170, [(0, 0), (20, 15), (0, 15), (20, 0)], scale: 50),
        ArgmaxWindows(171, 28, 28, 448, 448, 448, 597, 480, 640, [(0, 0), (0, 149)], real: true, scale: 50),
        Argmax(1, 1, 1, 1, 1),
        Argmax(3, 5, 4, 7, 9),
        Argmax(7, 11, 13, 6, 5),
        Argmax(5, 24, 31, 24, 31),
        Argmax(21, 20, 33, 37, 50),
        Argmax(20, 512, 683, 375, 500, real: true),
        ArgmaxWindows(1, 1, 1, 1, 1, 1, 1, 1, 1, [(0, 0)]), ArgmaxWindows(3, 4, 5, 16, 20, 16, 20, 16, 20, [(0, 0)]),
        ArgmaxWindows(5, 3, 4, 24, 32, 40, 150, 40, 150, [(0, 0), (0, 30), (16, 0), (16, 118), (10, 70)]),
        ArgmaxWindows(2, 4, 4, 64, 64, 64, 200, 37, 111, [(0, 0), (0, 48), (0, 136)]),
        ArgmaxWindows(4, 3, 3, 30, 30, 50, 45, 300, 170, [(0, 0), (20, 15), (0, 15), (20, 0)]),
        ArgmaxWindows(3, 2, 2, 80, 96, 80, 96, 5, 7, [(0, 0)]),
        ArgmaxWindows(171, 32, 32, 512, 512, 512, 683, 480, 640, [(0, 0), (0, 171)], real: true),
        ApplyBackground(1), ApplyBackground(333), ApplyBackground(500 * 375, real: true),
        Confusion(1, 1), Confusion(4, 333), Confusion(20, 500 * 375, real: true),
        PseudoLabels(1, 2, 1, 1, 3, 3),
        PseudoLabels(2, 4, 3, 5, 9, 14),
        PseudoLabels(2, 6, 3, 4, 25, 70),
        PseudoLabels(16, 20, 32, 32, 512, 512, real: true),
        PseudoLabels(1, 2, 1, 1, 3, 3, wide: true),
        PseudoLabels(2, 6, 3, 4, 25, 70, wide: true),
        PseudoLabels(1, 300, 2, 2, 7, 5, wide: true),
    ];

    private static KernelCase AddWindow(
        int classes,
        int height,
        int width,
        int windowHeight,
        int windowWidth,
        int canvasHeight,
        int canvasWidth,
        int top,
        int left,
        bool real = false,
        bool plain = false)
    {
        string variant = $"{classes} x {height} x {width} as {windowHeight} x {windowWidth} at ({top}, {left}) of {canvasHeight} x "
            + $"{canvasWidth}{(plain ? ", plain" : "")}";
        int pixels = windowHeight * windowWidth;
        return new KernelCase(typeof(ISegmentationKernels), nameof(ISegmentationKernels.AddWindow), variant, device =>
        {
            var run = new KernelRun(device);
            float[] logits = CaseRandom.Normal($"z {variant}", classes * height * width, 0, 3), penalties = CaseRandom.Normal(
                $"penalty {variant}", classes, 0, 0.1);
            float[] scores = CaseRandom.Normal($"canvas {variant}", classes * canvasHeight * canvasWidth);
            float[] seen = [.. CaseRandom.Integers($"counts {variant}", canvasHeight * canvasWidth, 4).Select(v => (float)v)];
            Tensor z = run.Floats(logits), penalty = run.Floats(penalties), canvas = run.Floats(scores), counts = run.Floats(seen);
            WindowScore score = plain ? WindowScore.Plain : WindowScore.Sigmoid;
            run.Launch = () => run.Kernels.Segmentation.AddWindow(
                z, penalty, canvas, counts, classes, height, width, windowHeight, windowWidth, canvasHeight, canvasWidth, top, left, score);
            run.Compare = () =>
            {
                double[] plane = Array.ConvertAll(logits, v => (double)v), expected = Array.ConvertAll(scores, v => (double)v),
                    expectedCounts = Array.ConvertAll(seen, v => (double)v);
                for (int i = 0; i < classes * pixels; i++)
                {
                    int c = i / pixels, y = i / windowWidth % windowHeight, x = i % windowWidth, at = ((top + y) * canvasWidth) + left + x;
                    double logit = Formulas.Bilinear(
                        plane.AsSpan(c * height * width, height * width), height, width, y, x, windowHeight, windowWidth);
                    expected[(c * canvasHeight * canvasWidth) + at] += (plain ? logit : Formulas.Sigmoid(logit)) - penalties[c];
                    expectedCounts[at] += c == 0 ? 1 : 0;
                }

                return [CaseDifference.Of("canvas", expected, canvas.ToArray(), Tolerance),
                    CaseDifference.Of("counts", expectedCounts, counts.ToArray(), 0)];
            };
            return run;
        })
        {
            Work = new CaseWork(20.0 * classes * pixels, (2.0 * classes * pixels) + (2.0 * pixels) + ((double)classes * height * width)),
            Real = real,
        };
    }

    private static KernelCase Argmax(int classes, int height, int width, int outputHeight, int outputWidth, bool real = false, float scale = 0)
    {
        string variant = $"{classes} x {height} x {width} to {outputHeight} x {outputWidth}{(scale > 0 ? $", softmax of {scale}" : "")}";
        int pixels = outputHeight * outputWidth;
        return new KernelCase(typeof(ISegmentationKernels), nameof(ISegmentationKernels.Argmax), variant, device =>
        {
            var run = new KernelRun(device);
            float[] sums = CaseRandom.Normal($"canvas {variant}", classes * height * width);
            float[] windows = [.. CaseRandom.Integers($"counts {variant}", height * width, 4).Select(v => v + 1f)];
            Tensor canvas = run.Floats(sums), counts = run.Floats(windows), labels = run.Empty(pixels, DType.UInt8), best = run.Empty(pixels);
            Tensor total = run.Empty(pixels);
            SoftmaxSums softmax = scale > 0 ? new SoftmaxSums(total, scale) : default;
            run.Launch = () => run.Kernels.Segmentation.Argmax(
                canvas, counts, labels, best, classes, height, width, outputHeight, outputWidth, softmax);
            run.Compare = () =>
            {
                double[] average = [.. sums.Select((v, i) => (double)v / windows[i % (height * width)])];
                int[] chosen = Array.ConvertAll(labels.ToArray<byte>(), v => (int)v);
                var (top, score) = Judge(average, chosen, null, classes, height, width, outputHeight, outputWidth);
                double allowed = Math.Max(Tolerance, 2e-7 * Math.Max(height, width));
                List<CaseDifference> differences =
                    [CaseDifference.Of("score", top, best.ToArray(), allowed), CaseDifference.Of("score of the label", top, score, allowed)];
                if (scale > 0)
                {
                    differences.Add(CaseDifference.Of("probability", Winning(average, top, scale, classes, height, width, outputHeight, outputWidth),
                        Inverse(total), 2 * scale * allowed));
                }

                return differences;
            };
            return run;
        })
        {
            Work = new CaseWork(8.0 * classes * pixels, ((double)classes * height * width) + (height * width) + (1.25 * pixels)),
            Real = real,
        };
    }

    // Windows at several places, some pixels under none. Devices without the kernel go by way of the canvas.
    private static KernelCase ArgmaxWindows(
        int classes,
        int height,
        int width,
        int windowHeight,
        int windowWidth,
        int canvasHeight,
        int canvasWidth,
        int outputHeight,
        int outputWidth,
        (int Top, int Left)[] places,
        bool real = false, float scale = 0)
    {
        string variant = $"{places.Length} of {classes} x {height} x {width} as {windowHeight} x {windowWidth} on {canvasHeight} x {canvasWidth} to "
            + $"{outputHeight} x {outputWidth}"
            + (scale > 0 ? $", plain, softmax of {scale}" : "");
        int pixels = outputHeight * outputWidth, size = classes * height * width;
        return new KernelCase(typeof(ISegmentationKernels), nameof(ISegmentationKernels.ArgmaxWindows), variant, device =>
        {
            var run = new KernelRun(device);
            float[] logits = CaseRandom.Normal($"z {variant}", places.Length * size, 0, 3), penalties = CaseRandom.Normal(
                $"penalty {variant}", classes, 0, 0.1);
            Tensor z = run.Floats(logits), penalty = run.Floats(penalties), labels = run.Empty(pixels, DType.UInt8), best = run.Empty(pixels);
            Tensor total = run.Empty(pixels);
            SoftmaxSums softmax = scale > 0 ? new SoftmaxSums(total, scale) : default;
            WindowScore kind = scale > 0 ? WindowScore.Plain : WindowScore.Sigmoid;
            WindowLogits[] windows = [.. places.Select((p, i) => new WindowLogits(z.View.Shift((long)i * size), p.Top, p.Left))];
            run.Launch = () =>
            {
                var kernels = run.Kernels.Segmentation;
                if (!kernels.ArgmaxWindows(
                    windows,
                    penalty,
                    labels,
                    best,
                    classes,
                    height,
                    width,
                    windowHeight,
                    windowWidth,
                    canvasHeight,
                    canvasWidth,
                    outputHeight,
                    outputWidth,
                    kind,
                    softmax))
                {
                    using Tensor canvas = device.Zeros(new Shape(classes, canvasHeight, canvasWidth)), counts = device.Zeros(
                        new Shape(canvasHeight, canvasWidth));
                    foreach (var (view, top, left) in windows)
                    {
                        kernels.AddWindow(
                            view,
                            penalty,
                            canvas,
                            counts,
                            classes,
                            height,
                            width,
                            windowHeight,
                            windowWidth,
                            canvasHeight,
                            canvasWidth,
                            top,
                            left,
                            kind);
                    }

                    kernels.Argmax(canvas, counts, labels, best, classes, canvasHeight, canvasWidth, outputHeight, outputWidth, softmax);
                }
            };
            run.Compare = real ? null : () =>
            {
                int plane = canvasHeight * canvasWidth;
                double[] sums = new double[classes * plane], source = Array.ConvertAll(logits, v => (double)v);
                var over = new int[plane];
                for (int i = 0; i < places.Length * classes * windowHeight * windowWidth; i++)
                {
                    int x = i % windowWidth, y = i / windowWidth % windowHeight, map = i / windowWidth / windowHeight, c = map % classes,
                        window = map / classes;
                    int at = ((places[window].Top + y) * canvasWidth) + places[window].Left + x;
                    double logit = Formulas.Bilinear(
                        source.AsSpan(map * height * width, height * width), height, width, y, x, windowHeight, windowWidth);
                    sums[(c * plane) + at] += (scale > 0 ? logit : Formulas.Sigmoid(logit)) - penalties[c];
                    over[at] += c == 0 ? 1 : 0;
                }

                double[] average = [.. sums.Select((v, i) => over[i % plane] == 0 ? 0 : v / over[i % plane])];
                int[] chosen = Array.ConvertAll(labels.ToArray<byte>(), v => (int)v);
                var (top, score) = Judge(average, chosen, null, classes, canvasHeight, canvasWidth, outputHeight, outputWidth);
                List<CaseDifference> differences =
                    [CaseDifference.Of("score", top, best.ToArray(), Tolerance), CaseDifference.Of("score of the label", top, score, Tolerance)];
                if (scale > 0)
                {
                    double[] winning = Winning(average, top, scale, classes, canvasHeight, canvasWidth, outputHeight, outputWidth);
                    differences.Add(CaseDifference.Of("probability", winning, Inverse(total), 2 * scale * Tolerance));
                }

                return differences;
            };
            return run;
        })
        {
            Work = new CaseWork(28.0 * classes * pixels, (places.Length * (double)size) + (1.25 * pixels)),
            Real = real,
        };
    }

    // The winner's share of the softmax over the classes.
    private static double[] Winning(
        double[] planes, double[] best, double scale, int classes, int height, int width, int outputHeight, int outputWidth)
    {
        var shares = new double[outputHeight * outputWidth];
        for (int i = 0; i < shares.Length; i++)
        {
            for (int c = 0; c < classes; c++)
            {
                double score = Formulas.Bilinear(
                    planes.AsSpan(c * height * width, height * width), height, width, i / outputWidth, i % outputWidth, outputHeight, outputWidth);
                shares[i] += Math.Exp(scale * (score - best[i]));
            }

            shares[i] = 1 / shares[i];
        }

        return shares;
    }

    private static float[] Inverse(Tensor sums) => [.. sums.ToArray().Select(sum => 1 / sum)];

    private static KernelCase ApplyBackground(int count, bool real = false) =>
        new(typeof(ISegmentationKernels), nameof(ISegmentationKernels.ApplyBackground), $"{count}", device =>
        {
            var run = new KernelRun(device);
            const float threshold = 0.25f;
            byte[] before = [.. CaseRandom.Integers($"labels {count}", count, 20).Select(v => (byte)v)];
            float[] scores = CaseRandom.Normal($"best {count}", count, 0.3);
            Tensor labels = run.Bytes(before), best = run.Floats(scores);
            run.Launch = () => run.Kernels.Segmentation.ApplyBackground(labels, best, threshold, count);
            run.Compare = () => [CaseDifference.Of("labels", [.. before.Select((v, i) => scores[i] < threshold ? 255.0 : v)], Floats(labels), 0)];
            return run;
        })
        {
            Work = new CaseWork(count, 1.5 * count),
            Real = real,
        };

    private static KernelCase Confusion(int classes, int count, bool real = false) =>
        new(typeof(ISegmentationKernels), nameof(ISegmentationKernels.Confusion), $"{classes} classes, {count} pixels", device =>
        {
            var run = new KernelRun(device);

            // Truth holds a class too many, which is ignored; a prediction may be 255.
            byte[] truths = [.. CaseRandom.Integers($"truth {classes} {count}", count, classes + 1).Select(v => (byte)v)];
            byte[] predictions = [.. CaseRandom.Integers($"prediction {classes} {count}", count, classes + 1)
                .Select(v => v == classes ? (byte)255 : (byte)v)];
            Tensor truth = run.Bytes(truths), prediction = run.Bytes(predictions);
            var confusion = new long[classes * (classes + 1)];
            confusion[0] = 1000;
            run.Launch = () => run.Kernels.Segmentation.Confusion(truth, prediction, confusion, classes, count);
            run.Compare = () =>
            {
                var expected = new double[confusion.Length];
                expected[0] = 1000;
                for (int i = 0; i < count; i++)
                {
                    if (truths[i] < classes)
                    {
                        expected[(truths[i] * (classes + 1)) + Math.Min(predictions[i], (byte)classes)]++;
                    }
                }

                return [CaseDifference.Of("confusion", expected, Array.ConvertAll(confusion, v => (double)v), 0)];
            };
            return run;
        })
        {
            Work = new CaseWork(count, 0.5 * count),
            Real = real,
        };

    private static KernelCase PseudoLabels(
        int batch, int classes, int height, int width, int imageHeight, int imageWidth, bool real = false, bool wide = false)
    {
        int marker = wide ? 65536 : 254;
        string variant = $"{batch} x {classes} x {height} x {width} to {imageHeight} x {imageWidth}{(wide ? ", 32 bits" : "")}";
        int pixels = batch * imageHeight * imageWidth, unseenCount = (classes + 1) / 2;
        return new KernelCase(typeof(ISegmentationKernels), nameof(ISegmentationKernels.PseudoLabels), variant, device =>
        {
            var run = new KernelRun(device);
            float[] logits = CaseRandom.Normal($"z {variant}", batch * classes * height * width, 0, 2);
            int[] drawn = wide
                ? CaseRandom.WideLabels($"labels {variant}", batch, classes, imageHeight, imageWidth, 3)
                : Array.ConvertAll(CaseRandom.Labels($"labels {variant}", batch, classes, imageHeight, imageWidth, 3), v => (int)v);
            int[] before = Array.ConvertAll(drawn, v => v % 5 == 0 && v < classes ? marker : v);
            byte[] allowed = [.. Enumerable.Range(0, classes).Select(c => (byte)((c + 1) % 2))];
            Tensor labels = wide ? run.Ints(before) : run.Bytes(Array.ConvertAll(before, v => (byte)v));
            Tensor z = run.Floats(logits), unseen = run.Bytes(allowed);
            run.Launch = () => run.Kernels.Segmentation.PseudoLabels(
                z, labels, unseen, marker, batch, classes, height, width, imageHeight, imageWidth);
            run.Compare = () =>
            {
                int[] after = wide ? labels.ToArray<int>() : Array.ConvertAll(labels.ToArray<byte>(), v => (int)v);
                var (top, score) = Judge(Array.ConvertAll(logits, v => (double)v), after, allowed, classes, height, width, imageHeight, imageWidth);
                bool[] marked = [.. before.Select(v => v == marker)];
                return
                [
                    CaseDifference.Of(
                        "labels that stay",
                        [.. before.Where((_, i) => !marked[i]).Select(v => (double)v)],
                        [.. after.Where((_, i) => !marked[i]).Select(v => (double)v)],
                        0),
                    CaseDifference.Of("score of the label", [.. top.Where((_, i) => marked[i])], [.. score.Where((_, i) => marked[i])], Tolerance),
                ];
            };
            return run;
        })
        {
            Work = new CaseWork(8.0 * unseenCount * pixels, ((double)batch * classes * height * width) + ((wide ? 2 : 0.5) * pixels)),
            Real = real,
        };
    }

    /// <summary>For every pixel the best score among the allowed classes, and the score of the given label (NaN where it is not allowed).</summary>
    private static (double[] Top, double[] Score) Judge(
        double[] z, int[] labels, byte[]? allowed, int classes, int height, int width, int outputHeight, int outputWidth)
    {
        double[] top = new double[labels.Length], score = new double[labels.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            int image = i / (outputHeight * outputWidth);
            top[i] = double.NegativeInfinity;
            score[i] = double.NaN;
            for (int c = 0; c < classes; c++)
            {
                if (allowed is null || allowed[c] != 0)
                {
                    var plane = z.AsSpan(((image * classes) + c) * height * width, height * width);
                    double value = Formulas.Bilinear(
                        plane, height, width, i / outputWidth % outputHeight, i % outputWidth, outputHeight, outputWidth);
                    top[i] = Math.Max(top[i], value);
                    score[i] = labels[i] == c ? value : score[i];
                }
            }
        }

        return (top, score);
    }

    private static double[] Floats(Tensor bytes) => Array.ConvertAll(bytes.ToArray<byte>(), v => (double)v);
}
