using Ldvc.Kernels.Resample;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

[Collection("simd")]
public class ResampleKernelTests
{
    public static TheoryData<int, int, int, int, int, int> Cases()
    {
        int[][] sizes = [[3, 4, 5, 32, 40], [2, 7, 3, 19, 301], [5, 6, 6, 6, 6], [1, 30, 50, 11, 7], [4, 1, 1, 5, 9], [2, 40, 3, 41, 2], [1, 2, 200, 100, 333], [2, 20, 90, 17, 61], [1, 9, 300, 30, 300]];
        var cases = new TheoryData<int, int, int, int, int, int>();
        foreach (int[] s in sizes)
        {
            foreach (int bits in new[] { 128, 256, 512 })
            {
                cases.Add(s[0], s[1], s[2], s[3], s[4], bits);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void MatchesDoublePrecision(int planes, int height, int width, int outputHeight, int outputWidth, int bits)
    {
        float[] x = MaskLossReference.Logits(planes * height * width, 0, 1), dy = MaskLossReference.Logits(planes * outputHeight * outputWidth, 1, 1);
        var y = new double[dy.Length];
        var dx = new double[x.Length];
        for (int i = 0; i < y.Length; i++)
        {
            int plane = i / (outputHeight * outputWidth) * height * width;
            var (top, bottom, down) = MaskLossReference.Axis(i / outputWidth % outputHeight, height, outputHeight);
            var (left, right, across) = MaskLossReference.Axis(i % outputWidth, width, outputWidth);
            (int Index, double Weight)[] corners =
            [
                (plane + (top * width) + left, (1 - down) * (1 - across)), (plane + (top * width) + right, (1 - down) * across),
                (plane + (bottom * width) + left, down * (1 - across)), (plane + (bottom * width) + right, down * across),
            ];
            foreach (var (index, weight) in corners)
            {
                y[i] += weight * x[index];
                dx[index] += weight * dy[i];
            }
        }

        var actual = Run(x, dy, planes, height, width, outputHeight, outputWidth, bits, 2, accumulate: false);
        AssertClose(y, actual.Y, 2e-5);
        AssertClose(dx, actual.Dx, 2e-5);
        AssertClose([.. dx.Select(v => v + 1)], Run(x, dy, planes, height, width, outputHeight, outputWidth, bits, 2, accumulate: true).Dx, 2e-5);
    }

    [Fact]
    public void KnownValues()
    {
        // Two columns to four: a quarter and three quarters inside, clamped at the edges.
        var actual = Run([10, 20], [1, 10, 100, 1000], 1, 1, 2, 1, 4, 128, 1, false);
        Assert.Equal([10f, 12.5f, 17.5f, 20f], actual.Y);
        Assert.Equal([1 + 7.5f + 25, 2.5f + 75 + 1000], actual.Dx);
    }

    [Fact]
    public void ThreadsDoNotChangeABit()
    {
        float[] x = MaskLossReference.Logits(3 * 9 * 8, 0, 1), dy = MaskLossReference.Logits(3 * 400 * 150, 0, 1);
        var one = Run(x, dy, 3, 9, 8, 400, 150, 256, 1, false);
        var two = Run(x, dy, 3, 9, 8, 400, 150, 256, 2, false);
        Assert.Equal(one.Y, two.Y);
        Assert.Equal(one.Dx, two.Dx);
    }

    // Positions are single precision, as in PyTorch: up to an input row of 200, a weight is off by up to 2e-5 in the worst case.
    private static void AssertClose(double[] expected, float[] actual, double tolerance)
    {
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < actual.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], tolerance * largest);
        }
    }

    private static (float[] Y, float[] Dx) Run(
        float[] x, float[] dy, int planes, int height, int width, int outputHeight, int outputWidth, int bits, int threads, bool accumulate)
    {
        int before = SimdLevel.Bits;
        using var device = new CpuDevice(threads);
        try
        {
            SimdLevel.Bits = bits;
            var kernels = new CpuResample(device.Threads);
            using var input = device.FromHost(x, new Shape(planes, height, width));
            using var output = device.Empty(new Shape(planes, outputHeight, outputWidth));
            using var gradient = device.FromHost(dy, new Shape(planes, outputHeight, outputWidth));
            using var dx = device.FromHost(Enumerable.Repeat(1f, x.Length).ToArray(), new Shape(planes, height, width));
            kernels.Bilinear(input, output, planes, height, width, outputHeight, outputWidth);
            kernels.BilinearBackward(gradient, dx, accumulate, planes, height, width, outputHeight, outputWidth);
            return (output.ToArray(), dx.ToArray());
        }
        finally
        {
            SimdLevel.Bits = before;
        }
    }
}
