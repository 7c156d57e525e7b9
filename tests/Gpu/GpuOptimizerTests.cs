using Ldvc.Kernels.Optimizer;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Gpu;

[Collection("opencl")]
public class OpenClOptimizerTests(OpenClFixture fixture)
{
    [Fact]
    public void ManyTensorsInOneLaunch()
    {
        long before = fixture.Twin.Device.Counters.LaunchCount;
        OptimizerCases.Step(fixture.Twin, [1, 5, 4096, 4097, 20_000, 7, 768 * 768, 33]);
        Assert.Equal(1, fixture.Twin.Device.Counters.LaunchCount - before);
    }

    /// <summary>Every tensor in a buffer of its own: more buffers than a launch can name.</summary>
    [Fact]
    public void ManyBuffers()
    {
        Assert.NotNull(fixture.Twin);
        using var twin = new Twin(GpuPlatform.Open(GpuKind.OpenCl, 0, long.MaxValue, 4096));
        OptimizerCases.Step(twin, [1030, 1031, 2000, 1100, 5000]);
        Assert.True(twin.Device.Chunks.Count > 16);
        Assert.True(twin.Device.Counters.LaunchCount > 2);
    }
}

[Collection("simulator")]
public class SimulatorOptimizerTests(SimulatorFixture fixture)
{
    [Fact]
    public void ManyTensors() => OptimizerCases.Step(fixture.Twin, [1, 70, 33]);
}

internal static class OptimizerCases
{
    internal static void Step(Twin twin, int[] counts) => twin.Check(2e-6, bench =>
    {
        Tensor[] weights = new Tensor[counts.Length], first = new Tensor[counts.Length], second = new Tensor[counts.Length];
        var tensors = new AdamWTensor[counts.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            var shape = new Shape(counts[i]);
            weights[i] = bench.Normal(shape);
            first[i] = bench.Normal(shape, 0.1);
            second[i] = bench.Floats(shape, j => 1e-3f * (1 + (j % 7)));
            tensors[i] = new AdamWTensor(weights[i], bench.Normal(shape), first[i], second[i], counts[i], 0.01f * i);
        }

        bench.Kernels.Optimizer.AdamW(tensors, new AdamWStep(1e-2f, 0.9f, 0.999f, 1e-8f, 3, 0.5f));
        return [.. weights, .. first, .. second];
    });
}
