using Ldvc.Kernels.MaskLoss;
using Ldvc.Kernels.MaskLoss.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

[Collection("simd")]
public class MaskLossTests
{
    public static TheoryData<int, int, int, int, int, int, int, int> Cases()
    {
        int[][] sizes =
        [
            [1, 3, 4, 4, 64, 64, 13], [2, 5, 3, 5, 37, 150, 17], [3, 7, 8, 6, 8, 6, 2], [1, 2, 9, 11, 5, 7, 3], [2, 4, 1, 1, 20, 33, 9],
                [1, 6, 2, 3, 300, 19, 40],
            [1, 4, 5, 40, 11, 300, 30],
        ];
        var cases = new TheoryData<int, int, int, int, int, int, int, int>();
        foreach (int[] s in sizes)
        {
            foreach (int bits in new[] { 128, 256, 512 })
            {
                cases.Add(s[0], s[1], s[2], s[3], s[4], s[5], s[6], bits);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void MatchesDoublePrecision(int batch, int classes, int height, int width, int imageHeight, int imageWidth, int block, int bits)
    {
        var sizes = new MaskLossSizes(batch, classes, height, width, imageHeight, imageWidth, 100, 1, 0.25f);
        float[] z = MaskLossReference.Logits(batch * classes * height * width, -0.5, 3);
        byte[] labels = MaskLossReference.Labels(batch, classes, imageHeight, imageWidth, block);
        Compare(sizes, z, labels, bits);
    }

    [Fact]
    public void OtherWeightsAndAlpha() => Compare(
        new MaskLossSizes(1, 3, 3, 3, 40, 40, 20, 5, 0.6f), MaskLossReference.Logits(27, 0, 2), MaskLossReference.Labels(1, 3, 40, 40, 7), 256);

    [Fact]
    public void NothingPresentCountsAsOnePair()
    {
        var sizes = new MaskLossSizes(2, 4, 3, 3, 30, 20, 100, 1, 0.25f);
        byte[] labels = new byte[2 * 30 * 20];
        Array.Fill(labels, (byte)255);
        var result = Compare(sizes, MaskLossReference.Logits(2 * 4 * 9, 1, 2), labels, 256);
        Assert.Equal(0, result.Loss[2]);
        Assert.True(result.Loss[1] > 0.1);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void ExtremeLogitsStayExact(int bits)
    {
        var sizes = new MaskLossSizes(1, 4, 4, 5, 48, 61, 100, 1, 0.25f);
        float[] z = MaskLossReference.Logits(80, 0, 1);
        for (int i = 0; i < z.Length; i++)
        {
            z[i] = z[i] > 0 ? 50 : -50;
        }

        Compare(sizes, z, MaskLossReference.Labels(1, 4, 48, 61, 16), bits);
    }

    [Fact]
    public void HundredsStayFinite()
    {
        var sizes = new MaskLossSizes(1, 2, 2, 2, 9, 9, 100, 1, 0.25f);
        var result = Run(sizes, [300, -300, 300, -300, -300, -300, 300, 1], MaskLossReference.Labels(1, 2, 9, 9, 3), 256, 1, 1f, false);
        Assert.All(result.Loss.Concat(result.Gradient), x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void NanShowsInTheLoss()
    {
        var sizes = new MaskLossSizes(1, 2, 3, 3, 24, 24, 100, 1, 0.25f);
        byte[] labels = MaskLossReference.Labels(1, 2, 24, 24, 5);
        for (int i = 0; i < 18; i += 5)
        {
            float[] z = MaskLossReference.Logits(18, 0, 1);
            z[i] = float.NaN;
            Assert.True(float.IsNaN(Run(sizes, z, labels, 256, 1, 1f, false).Loss[0]));
        }
    }

    [Fact]
    public void GradientIsTheSlopeOfTheLoss()
    {
        var sizes = new MaskLossSizes(2, 2, 2, 3, 7, 10, 100, 1, 0.25f);
        float[] z = MaskLossReference.Logits(24, 0, 1);
        byte[] labels = MaskLossReference.Labels(2, 2, 7, 10, 4);
        float[] gradient = Run(sizes, z, labels, 256, 1, 1f, false).Gradient;
        double largest = gradient.Max(Math.Abs);
        for (int i = 0; i < z.Length; i++)
        {
            double[] plus = [.. z.Select(v => (double)v)], minus = [.. z.Select(v => (double)v)];
            plus[i] += 1e-4;
            minus[i] -= 1e-4;
            double slope = (MaskLossReference.Compute(sizes, plus, labels).Loss[0] - MaskLossReference.Compute(sizes, minus, labels).Loss[0]) / 2e-4;
            Assert.Equal(slope, gradient[i], 1e-5 * largest);
        }
    }

    [Fact]
    public void LossGradientScalesAndAccumulates()
    {
        var sizes = new MaskLossSizes(1, 3, 3, 4, 25, 140, 100, 1, 0.25f);
        float[] z = MaskLossReference.Logits(36, 0, 2);
        byte[] labels = MaskLossReference.Labels(1, 3, 25, 140, 8);
        float[] once = Run(sizes, z, labels, 256, 2, 1f, false).Gradient;
        float[] added = Run(sizes, z, labels, 256, 2, -3f, true).Gradient;
        for (int i = 0; i < once.Length; i++)
        {
            Assert.Equal(1 - (3.0 * once[i]), added[i], 1e-5);
        }
    }

    [Fact]
    public void ThreadsDoNotChangeABit()
    {
        var sizes = new MaskLossSizes(3, 9, 7, 6, 61, 200, 100, 1, 0.25f);
        float[] z = MaskLossReference.Logits(3 * 9 * 42, -1, 2);
        byte[] labels = MaskLossReference.Labels(3, 9, 61, 200, 20);
        var one = Run(sizes, z, labels, 256, 1, 1f, false);
        var two = Run(sizes, z, labels, 256, 2, 1f, false);
        Assert.Equal(one.Loss, two.Loss);
        Assert.Equal(one.Sums, two.Sums);
        Assert.Equal(one.Gradient, two.Gradient);
    }

    private static (float[] Loss, float[] Sums, float[] Gradient) Compare(MaskLossSizes sizes, float[] z, byte[] labels, int bits)
    {
        var expected = MaskLossReference.Compute(sizes, [.. z.Select(v => (double)v)], labels);
        var actual = Run(sizes, z, labels, bits, 2, 1f, accumulate: false);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(expected.Loss[i], actual.Loss[i], 2e-6 * (Math.Abs(expected.Loss[i]) + 0.01));
        }

        for (int i = 0; i < actual.Sums.Length; i++)
        {
            Assert.Equal(expected.Sums[i], actual.Sums[i], 2e-6 * (Math.Abs(expected.Sums[i]) + 1));
        }

        double largest = expected.Gradient.Max(Math.Abs);
        Assert.True(largest > 0);
        for (int i = 0; i < actual.Gradient.Length; i++)
        {
            Assert.Equal(expected.Gradient[i], actual.Gradient[i], 3e-6 * largest);
        }

        return actual;
    }

    private static (float[] Loss, float[] Sums, float[] Gradient) Run(
        MaskLossSizes sizes, float[] z, byte[] labels, int bits, int threads, float lossGradient, bool accumulate)
    {
        int before = SimdLevel.Bits;
        using var device = new CpuDevice(threads);
        try
        {
            SimdLevel.Bits = bits;
            var kernels = new CpuMaskLoss(device.Threads);
            var shape = new Shape(sizes.Batch, sizes.Classes, sizes.Height, sizes.Width);
            using var logits = device.FromHost(z, shape);
            using var truth = device.FromHost(labels, new Shape(sizes.Batch, sizes.ImageHeight, sizes.ImageWidth));
            using var sums = device.Empty(new Shape(sizes.Batch, sizes.Classes, 4));
            using var loss = device.Empty(new Shape(3));
            using var dz = device.FromHost(Enumerable.Repeat(1f, z.Length).ToArray(), shape);
            kernels.Forward(sizes, logits, truth, sums, loss);
            using var scale = device.FromHost([lossGradient], new Shape(1));
            kernels.Backward(sizes, logits, truth, sums, scale, dz, accumulate);
            return (loss.ToArray(), sums.ToArray(), dz.ToArray());
        }
        finally
        {
            SimdLevel.Bits = before;
        }
    }
}
