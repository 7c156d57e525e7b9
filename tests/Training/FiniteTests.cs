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
    [InlineData(0x7BFF, true, true)] // fp16: 65504
    [InlineData(0xFC00, false, true)] // minus infinity
    [InlineData(0x7E00, false, true)] // no number
    public void ValuesOf16BitsAreLookedAtOneByOne(int bits, bool finite, bool fp16 = false)
    {
        using var device = new CpuDevice(1);
        using Tensor tensor = device.Zeros(new Shape(8), fp16 ? DType.Float16 : DType.BFloat16);
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
