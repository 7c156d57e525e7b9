using Ldvc.Cases.Ops;
using Ldvc.Kernels.MaskLoss;
using Ldvc.Tensors;

namespace Ldvc.Tests.Kernels;

/// <summary>The mask loss of method.md 7 written plainly in double precision, the upsampled logits stored.</summary>
internal static class MaskLossReference
{
    /// <summary>Loss [total, focal, dice], the four sums of each (image, class) and the gradient of total.</summary>
    internal static (double[] Loss, double[] Sums, double[] Gradient) Compute(MaskLossSizes s, double[] z, byte[] labels)
    {
        int planes = s.Batch * s.Classes, pixels = s.ImageHeight * s.ImageWidth;
        var sums = new double[planes * 4];
        var gradient = new double[z.Length];
        for (int plane = 0; plane < planes; plane++)
        {
            for (int i = 0; i < pixels; i++)
            {
                double x = Logit(s, z, plane, i);
                bool y = labels[(plane / s.Classes * pixels) + i] == plane % s.Classes;
                double p = Formulas.Sigmoid(x);
                sums[plane * 4] += y ? p : 0;
                sums[(plane * 4) + 1] += p;
                sums[(plane * 4) + 2] += y ? 1 : 0;
                sums[(plane * 4) + 3] += y
                    ? s.Alpha * Formulas.Sigmoid(-x) * Formulas.Sigmoid(-x) * Softplus(-x)
                    : (1 - s.Alpha) * p * p * Softplus(x);
            }
        }

        int present = 0;
        double focal = 0, dice = 0;
        for (int plane = 0; plane < planes; plane++)
        {
            focal += sums[(plane * 4) + 3] / pixels;
            if (sums[(plane * 4) + 2] > 0)
            {
                present++;
                dice += 1 - (((2 * sums[plane * 4]) + 1) / (sums[(plane * 4) + 1] + sums[(plane * 4) + 2] + 1));
            }
        }

        present = Math.Max(1, present);
        for (int plane = 0; plane < planes; plane++)
        {
            double denominator = sums[(plane * 4) + 1] + sums[(plane * 4) + 2] + 1;
            for (int i = 0; i < pixels; i++)
            {
                double x = Logit(s, z, plane, i), p = Formulas.Sigmoid(x), q = Formulas.Sigmoid(-x);
                bool y = labels[(plane / s.Classes * pixels) + i] == plane % s.Classes;
                double slope = y
                    ? -s.Alpha * q * q * ((2 * p * Softplus(-x)) + q)
                    : (1 - s.Alpha) * p * p * ((2 * q * Softplus(x)) + p);
                double total = s.FocalWeight * slope / pixels / present;
                if (sums[(plane * 4) + 2] > 0)
                {
                    double byP = (((2 * sums[plane * 4]) + 1) / (denominator * denominator)) - (y ? 2 / denominator : 0);
                    total += s.DiceWeight * byP * p * q / present;
                }

                var (top, bottom, down) = Formulas.Axis(i / s.ImageWidth, s.Height, s.ImageHeight);
                var (left, right, across) = Formulas.Axis(i % s.ImageWidth, s.Width, s.ImageWidth);
                int start = plane * s.Height * s.Width;
                gradient[start + (top * s.Width) + left] += total * (1 - down) * (1 - across);
                gradient[start + (top * s.Width) + right] += total * (1 - down) * across;
                gradient[start + (bottom * s.Width) + left] += total * down * (1 - across);
                gradient[start + (bottom * s.Width) + right] += total * down * across;
            }
        }

        return ([(s.FocalWeight * focal / present) + (s.DiceWeight * dice / present), focal / present, dice / present], sums, gradient);
    }

    /// <summary>Random labels in blocks, some of them 255 or a class that does not exist; the last class never occurs.</summary>
    internal static byte[] Labels(int batch, int classes, int height, int width, int block)
    {
        var random = new CounterRandom(11, 2);
        var labels = new byte[batch * height * width];
        for (int image = 0; image < batch; image++)
        {
            for (int top = 0; top < height; top += block)
            {
                for (int left = 0; left < width; left += block)
                {
                    int choice = random.NextInt(classes + 1);
                    byte label = choice == classes ? (byte)255 : choice == classes - 1 ? (byte)(classes + 3) : (byte)choice;
                    for (int y = top; y < Math.Min(height, top + block); y++)
                    {
                        labels.AsSpan((((image * height) + y) * width) + left, Math.Min(block, width - left)).Fill(label);
                    }
                }
            }
        }

        return labels;
    }

    internal static float[] Logits(int count, double mean, double deviation)
    {
        var random = new CounterRandom(12, 2);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(mean + (deviation * random.NextNormal())))];
    }

    private static double Softplus(double x)
    {
        double u = Math.Exp(-Math.Abs(x));
        return Math.Max(x, 0) + (u < 1e-6 ? u - (u * u / 2) : Math.Log(1 + u));
    }

    /// <summary>One upsampled logit.</summary>
    internal static double Logit(MaskLossSizes s, double[] z, int plane, int pixel) => Formulas.Bilinear(
        z.AsSpan(plane * s.Height * s.Width, s.Height * s.Width),
        s.Height,
        s.Width,
        pixel / s.ImageWidth,
        pixel % s.ImageWidth,
        s.ImageHeight,
        s.ImageWidth);
}
