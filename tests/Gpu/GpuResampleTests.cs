using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClResampleTests(OpenClFixture fixture)
{
    [Theory]
    // planes, height, width, output height, output width
    [InlineData(1, 1, 1, 7, 5)]
    [InlineData(3, 5, 7, 5, 7)]
    [InlineData(2, 14, 14, 32, 32)]
    [InlineData(2, 30, 41, 7, 11)]
    [InlineData(5, 32, 32, 512, 512)]
    [InlineData(1, 3, 700, 9, 300)]
    public void ForwardAndBackward(int planes, int height, int width, int outputHeight, int outputWidth) =>
        ResampleCases.Run(fixture.Twin, planes, height, width, outputHeight, outputWidth);
}

[Collection("simulator")]
public class SimulatorResampleTests(SimulatorFixture fixture)
{
    [Fact]
    public void ForwardAndBackward() => ResampleCases.Run(fixture.Twin, 2, 3, 5, 7, 40);
}

internal static class ResampleCases
{
    // A card fuses the multiply-add of a coordinate, which is then one unit in the last place away: so is the weight between two pixels.
    internal static void Run(Twin twin, int planes, int height, int width, int outputHeight, int outputWidth) => twin.Check(
        5e-6 + (6e-8 * Math.Max(height, width)), bench =>
    {
        Tensor x = bench.Normal(new Shape(planes, height, width)), y = bench.Output(planes, outputHeight, outputWidth);
        Tensor dy = bench.Normal(y.Shape), dx = bench.Output(planes, height, width), sum = bench.Normal(dx.Shape);
        var kernels = bench.Kernels.Resample;
        kernels.Bilinear(x, y, planes, height, width, outputHeight, outputWidth);
        kernels.BilinearBackward(dy, dx, false, planes, height, width, outputHeight, outputWidth);
        kernels.BilinearBackward(dy, sum, true, planes, height, width, outputHeight, outputWidth);
        return [y, dx, sum];
    });
}
