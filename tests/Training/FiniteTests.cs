using Ldvc.Tensors;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>What a diverged run looks for.</summary>
public sealed class FiniteTests
{
    [Theory]
    [InlineData(0x3F80, true)] // 1
    [InlineData(0xFF7F, true)] // the most negative number
    [InlineData(0x7F80, false)] // infinity
    [InlineData(0xFF80, false)] // minus infinity
    [InlineData(0x7FC0, false)] // no number
    public void Bf16ValuesAreLookedAtOneByOne(int bits, bool finite)
    {
        using var device = new CpuDevice(1);
        using Tensor tensor = device.Zeros(new Shape(8), DType.BFloat16);
        var values = new ushort[8];
        values[4] = (ushort)bits;
        tensor.CopyFromHost<ushort>(values);
        Assert.Equal(finite, Finite.All(tensor));
    }

    [Theory]
    [InlineData(float.MaxValue, true)]
    [InlineData(float.NaN, false)]
    [InlineData(float.NegativeInfinity, false)]
    public void FloatsAreLookedAtByTheDevice(float value, bool finite)
    {
        using var device = new CpuDevice(1);
        using Tensor tensor = device.FromHost([0, 1, value, 2], new Shape(4));
        Assert.Equal(finite, Finite.All(tensor));
    }
}
