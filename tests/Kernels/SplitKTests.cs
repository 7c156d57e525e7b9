using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>When a product is cut along its sums; that the parts give the same is among the GPU's tests.</summary>
public sealed class SplitKTests
{
    [Theory]
    [InlineData(0, 8, 0)]
    [InlineData(8, 0, 0)]
    [InlineData(8, 8, 320)]
    public void AnEmptyProductIsNotCut(int m, int n, int expected)
    {
        using var device = new CpuDevice(1);
        using var values = device.Empty(new Shape(1));
        Assert.Equal(expected, MatMulPlan.Part(new Gemm(m, n, 5000, values.View, values.View, values.View), Precision.Fp32, 132));
    }
}
