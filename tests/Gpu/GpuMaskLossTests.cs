using Ldvc.Kernels.MaskLoss;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClMaskLossTests(OpenClFixture fixture)
{
    [Theory]
    // batch, classes, height, width, image height, image width, edge of the blocks of equal labels
    [InlineData(1, 3, 4, 4, 64, 64, 13)]
    [InlineData(2, 5, 3, 5, 37, 150, 17)]
    [InlineData(3, 7, 8, 6, 8, 6, 2)]
    [InlineData(1, 2, 9, 11, 5, 7, 3)]
    [InlineData(2, 4, 1, 1, 20, 33, 9)]
    [InlineData(1, 6, 2, 3, 300, 19, 40)]
    [InlineData(1, 4, 20, 40, 150, 600, 30)]
    // VOC and COCO-Stuff at 512
    [InlineData(2, 15, 32, 32, 512, 512, 90)]
    [InlineData(1, 156, 32, 32, 512, 512, 60)]
    public void ForwardAndBackward(int batch, int classes, int height, int width, int imageHeight, int imageWidth, int block)
    {
        var sizes = new MaskLossSizes(batch, classes, height, width, imageHeight, imageWidth, 100, 1, 0.25f);
        MaskLossCases.Run(fixture.Twin, sizes, block, accumulate: block % 2 == 0);
    }

    [Theory]
    [InlineData(2, 5, 3, 5, 37, 150, 17)]
    [InlineData(1, 100, 4, 4, 64, 64, 7)]
    public void LabelsOf32BitsGiveTheSameBits(int batch, int classes, int height, int width, int imageHeight, int imageWidth, int block) =>
        MaskLossCases.Wide(fixture.Twin, new MaskLossSizes(batch, classes, height, width, imageHeight, imageWidth, 100, 1, 0.25f), block);

    [Fact]
    public void MoreThan255Classes() =>
        MaskLossCases.Run(fixture.Twin, new MaskLossSizes(1, 300, 3, 4, 40, 41, 100, 1, 0.25f), 2, accumulate: false, wide: true);

    [Fact]
    public void NothingPresent() => MaskLossCases.Run(fixture.Twin, new MaskLossSizes(2, 4, 3, 3, 30, 20, 100, 1, 0.25f), 0, false);

    [Fact]
    public void LargeLogits() => MaskLossCases.Run(fixture.Twin, new MaskLossSizes(1, 4, 4, 5, 48, 61, 20, 5, 0.6f), 16, false, factor: 40);

    [Fact]
    public void SmallProbabilitiesKeepTheirAccuracy() =>
        MaskLossCases.Run(fixture.Twin, new MaskLossSizes(1, 3, 4, 4, 32, 32, 100, 1, 0.25f), 0, false, mean: -9);

    [Fact]
    public void NanShowsInTheLoss()
    {
        var device = fixture.Twin.Device;
        float[] z = new float[8];
        z[5] = float.NaN;
        using var logits = device.FromHost(z, new Shape(1, 2, 2, 2));
        using var labels = device.FromHost(new byte[81], new Shape(1, 9, 9));
        using var sums = device.Empty(new Shape(1, 2, 4));
        using var loss = device.Empty(new Shape(3));
        KernelSet.For(device).MaskLoss.Forward(new MaskLossSizes(1, 2, 2, 2, 9, 9, 100, 1, 0.25f), logits, labels, sums, loss);
        Assert.True(float.IsNaN(loss.ToArray()[0]));
    }
}

[Collection("simulator")]
public class SimulatorMaskLossTests(SimulatorFixture fixture)
{
    [Fact]
    public void ForwardAndBackward() => MaskLossCases.Run(fixture.Twin, new MaskLossSizes(1, 2, 3, 4, 20, 37, 100, 1, 0.25f), 7, true);

    [Fact]
    public void LabelsOf32BitsGiveTheSameBits() => MaskLossCases.Wide(fixture.Twin, new MaskLossSizes(1, 2, 2, 3, 9, 21, 100, 1, 0.25f), 4);
}

internal static class MaskLossCases
{
    /// <summary>Labels are blocks of classes, of 255 and of one number above the classes; block 0: 255 everywhere.</summary>
    internal static void Run(
        Twin twin, MaskLossSizes s, int block, bool accumulate, double factor = 2, float mean = -0.5f, bool wide = false) => twin.Check(1e-5, bench =>
    {
        var z = bench.Normal(new Shape(s.Batch, s.Classes, s.Height, s.Width), factor);
        bench.Kernels.Elementwise.Add(z, bench.Floats(z.Shape, _ => mean), z, z.Count);
        var image = new Shape(s.Batch, s.ImageHeight, s.ImageWidth);
        var labels = wide ? bench.Ints(image, i => Label(s, block, i, 65535)) : bench.Bytes(image, i => (byte)Label(s, block, i, 255));
        Tensor sums = bench.Output(s.Batch, s.Classes, 4), loss = bench.Output(3), dz = bench.Normal(z.Shape, 1e-4);
        var gradient = bench.Floats(new Shape(1), _ => 0.7f);
        bench.Kernels.MaskLoss.Forward(s, z, labels, sums, loss);
        bench.Kernels.MaskLoss.Backward(s, z, labels, sums, gradient, dz, accumulate);
        return [sums, loss, dz];
    });

    /// <summary>The same labels in bytes and in 32 bits: sums, loss and gradient have the same bits on each device.</summary>
    internal static void Wide(Twin twin, MaskLossSizes s, int block) => twin.Check(1e-5, bench =>
    {
        var z = bench.Normal(new Shape(s.Batch, s.Classes, s.Height, s.Width), 2);
        var gradient = bench.Floats(new Shape(1), _ => 0.7f);
        var image = new Shape(s.Batch, s.ImageHeight, s.ImageWidth);
        Tensor[] results = [];
        foreach (Tensor labels in new[] { bench.Bytes(image, i => (byte)Label(s, block, i, 255)), bench.Ints(image, i => Label(s, block, i, 65535)) })
        {
            Tensor[] first = results;
            Tensor sums = bench.Output(s.Batch, s.Classes, 4), loss = bench.Output(3), dz = bench.Output(s.Batch, s.Classes, s.Height, s.Width);
            bench.Kernels.MaskLoss.Forward(s, z, labels, sums, loss);
            bench.Kernels.MaskLoss.Backward(s, z, labels, sums, gradient, dz, false);
            results = [sums, loss, dz];
            Assert.All(first.Zip(results), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
        }

        return results;
    });

    private static int Label(MaskLossSizes s, int block, int i, int none)
    {
        int kind = block == 0 ? -1 : ((i / s.ImageWidth / block) + (3 * (i % s.ImageWidth / block))) % (s.Classes + 2);
        return kind < 0 || kind == s.Classes ? none : kind;
    }
}
