using Ldvc.Autograd.Ops;
using Ldvc.Tensors;

namespace Ldvc.Cases.Ops;

/// <summary>Cross-entropy and the mask loss of method.md 7.</summary>
internal static class LossCases
{
    internal static IEnumerable<OpCase> All =>
    [
        CrossEntropy(1, 1), CrossEntropy(1, 5), CrossEntropy(7, 3), CrossEntropy(13, 37), CrossEntropy(256, 256, real: true),
        CrossEntropy(4, 7, ignored: -100), CrossEntropy(13, 37, ignored: 3), CrossEntropy(6, 33, ignored: -1, outer: [2, 3]),
        MaskLoss(1, 2, 1, 1, 3, 5, 2),
        MaskLoss(1, 3, 2, 2, 8, 8, 3),
        MaskLoss(2, 3, 3, 2, 9, 14, 4),
        MaskLoss(1, 2, 5, 7, 4, 3, 2),
        MaskLoss(2, 4, 3, 5, 21, 37, 6),
        MaskLoss(4, 15, 32, 32, 512, 512, 96, real: true),
        MaskLoss(1, 3, 2, 2, 8, 8, 3, wide: true),
        MaskLoss(2, 4, 3, 5, 21, 37, 6, wide: true),
        MaskLoss(1, 300, 1, 1, 2, 3, 1, wide: true),
    ];

    private static OpCase CrossEntropy(int rows, int columns, bool real = false, int? ignored = null, int[]? outer = null)
    {
        string variant = $"{rows} x {columns}{(ignored is null ? "" : $", {ignored} ignored")}";
        int[] targets = CaseRandom.Integers($"targets {variant}", rows, columns);
        for (int row = 0; ignored is not null && row < rows; row += 3)
        {
            targets[row] = ignored.Value;
        }

        int[] sizes = outer ?? [rows];
        double count = (double)rows * columns;
        return new OpCase(typeof(CrossEntropyOp), nameof(CrossEntropyOp.CrossEntropy), variant)
        {
            Inputs = [new("logits", [.. sizes, columns]) { Deviation = 2 }],
            Run = (tape, v) =>
            {
                if (ignored is null)
                {
                    return tape.CrossEntropy(v[0], targets);
                }

                using var given = tape.Device.FromHost(targets, new Shape(sizes));
                return tape.CrossEntropy(v[0], given, ignored.Value);
            },
            Reference = real ? null : v => [CrossEntropy(v[0], targets, rows, columns, ignored ?? -100)],
            Work = new CaseWork(3 * count, count, 3 * count, 2 * count),
            Real = real,

            // One column: loss and gradient are always zero.
            ValueAtLeast = columns == 1 ? 0.01 : 0,
            GradientAtLeast = columns == 1 ? 0.01 : 0,
        };
    }

    private static double CrossEntropy(double[] logits, int[] targets, int rows, int columns, int ignored)
    {
        double loss = 0;
        int counted = targets.Count(target => target != ignored);
        for (int row = 0; row < rows; row++)
        {
            if (targets[row] == ignored)
            {
                continue;
            }

            var values = logits.AsSpan(row * columns, columns);
            double sum = 0;
            foreach (double value in values)
            {
                sum += Math.Exp(value);
            }

            loss += (Math.Log(sum) - values[targets[row]]) / counted;
        }

        return loss;
    }

    private static OpCase MaskLoss(
        int batch, int classes, int height, int width, int imageHeight, int imageWidth, int block, bool real = false, bool wide = false)
    {
        const float focal = 100, dice = 1, alpha = 0.25f;
        string variant = $"{batch} x {classes} x {height} x {width} to {imageHeight} x {imageWidth}{(wide ? ", 32 bits" : "")}";
        byte[] bytes = wide ? [] : CaseRandom.Labels($"labels {variant}", batch, classes, imageHeight, imageWidth, block);
        int[] labels = wide
            ? CaseRandom.WideLabels($"labels {variant}", batch, classes, imageHeight, imageWidth, block)
            : Array.ConvertAll(bytes, label => (int)label);
        double pixels = (double)batch * imageHeight * imageWidth, logits = (double)batch * classes * height * width;
        double stored = pixels / (wide ? 1 : 4);
        return new OpCase(typeof(MaskLossOp), nameof(MaskLossOp.MaskLoss), variant)
        {
            Inputs = [new("logits", batch, classes, height, width) { Mean = -0.5, Deviation = 2 }],
            Run = (tape, v) =>
            {
                var image = new Shape(batch, imageHeight, imageWidth);
                using var truth = wide ? tape.Device.FromHost(labels, image) : tape.Device.FromHost(bytes, image);
                var loss = tape.MaskLoss(v[0], truth, focal, dice, alpha, out var parts);
                parts.Dispose();
                return loss;
            },
            Reference = real
                ? null
                : v => [MaskLossFormula.Total(v[0], labels, batch, classes, height, width, imageHeight, imageWidth, focal, dice, alpha)],

            // Interpolation, exponential and logarithm of every class at every pixel, about 30 operations; labels are bytes or integers.
            Work = new CaseWork(30 * pixels * classes, logits + stored, 40 * pixels * classes, (2 * logits) + stored),
            Real = real,
        };
    }
}
