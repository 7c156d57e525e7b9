using Ldvc.Kernels.Resample;
using Ldvc.Kernels.Resample.Cpu;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>What the case list does not say about resizing: values one can compute by hand, and threads.</summary>
[Collection("simd")]
public class ResampleKernelTests
{
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
