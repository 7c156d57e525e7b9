using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>Nothing comes back through a relu that let nothing through, wherever its backward is fused into something else.</summary>
[Collection("simulator")]
public class ReluGradientTests(SimulatorFixture fixture)
{
    private const int Count = 24;

    // Zero times the infinity would be NaN.
    private static readonly float[] s_before = [.. Enumerable.Range(0, Count).Select(i => i % 3 == 0 ? 2f : i % 3 == 1 ? -1f : 0f)];
    private static readonly float[] s_expected = [.. s_before.Select(x => x > 0 ? float.NegativeInfinity : 0f)];

    [Fact]
    public void OfAProduct()
    {
        using var cpu = new CpuDevice(1);
        using Tensor one = cpu.FromHost([1f], new Shape(1, 1)), before = cpu.FromHost(s_before, new Shape(1, Count));
        using Tensor infinite = Infinite(cpu), result = cpu.Empty(new Shape(1, Count));
        KernelSet.For(cpu).MatMul.Run(new Gemm(1, Count, 1, one, infinite, result)
        {
            ActivationGradientOf = before,
            Activation = Activation.Relu,
        });
        Assert.Equal(s_expected, result.ToArray());
    }

    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void OfValuesInSixteenBits(DType type)
    {
        var device = fixture.Twin.Device;
        using Tensor before = device.FromHostRounded(s_before, new Shape(1, Count), type), dy = Infinite(device);
        using Tensor dx = device.Empty(new Shape(1, Count));
        KernelSet.For(device).Elementwise.ActivateBackward(before, dy, dx, Activation.Relu, false, Count);
        Assert.Equal(s_expected, dx.ToArray());
    }

    private static Tensor Infinite(Device device)
    {
        var values = new float[Count];
        Array.Fill(values, float.NegativeInfinity);
        return device.FromHost(values, new Shape(1, Count));
    }
}
