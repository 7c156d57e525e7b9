using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

public sealed class InitializerTests : IDisposable
{
    private const int Count = 40000;

    private readonly CpuDevice _device = new(1);

    [Fact]
    public void UniformFillsItsIntervalEvenly()
    {
        double[] values = Values(init => init.Uniform(new Shape(Count), 0.25));
        Assert.All(values, v => Assert.InRange(v, -0.25, 0.25));

        // Four standard errors; the tenths of the interval hold a tenth each.
        Assert.Equal(0, values.Average(), 4 * 0.25 / Math.Sqrt(3.0 * Count));
        Assert.Equal(0.25 * 0.25 / 3, values.Average(v => v * v), 0.0004);
        foreach (var tenth in values.GroupBy(v => (int)((v + 0.25) / 0.05)))
        {
            Assert.InRange(tenth.Count(), (Count / 10) - 250, (Count / 10) + 250);
        }
    }

    [Fact]
    public void NormalHasItsMomentsAndTails()
    {
        double[] values = Values(init => init.Normal(new Shape(200, 200), 0.02));
        Assert.Equal(0, values.Average(), 4 * 0.02 / Math.Sqrt(Count));
        Assert.Equal(1, values.Average(v => v * v) / (0.02 * 0.02), 0.03);
        Assert.Equal(3, values.Average(v => Math.Pow(v / 0.02, 4)), 0.2);
        Assert.Equal(0.3173, values.Count(v => Math.Abs(v) > 0.02) / (double)Count, 0.01);
        Assert.Equal(0.0455, values.Count(v => Math.Abs(v) > 0.04) / (double)Count, 0.005);
    }

    [Fact]
    public void LinearIsPyTorchsDefault()
    {
        using var linear = new Linear(new Initializer(_device, 5), 400, 100);
        float[] weight = linear.Weight.Value.ToArray(), bias = linear.Bias!.Value.ToArray();
        Assert.Equal(new Shape(100, 400), linear.Weight.Shape);
        Assert.Equal(new Shape(100), linear.Bias.Shape);
        Assert.All(weight.Concat(bias), v => Assert.InRange(v, -0.05f, 0.05f));
        Assert.Equal(0.05 / Math.Sqrt(3), Math.Sqrt(weight.Average(v => (double)v * v)), 0.0003);
        Assert.True(bias.Max() > 0.045 && bias.Min() < -0.045);
    }

    [Fact]
    public void LayerNormStartsAsTheIdentity()
    {
        using var norm = new LayerNorm(new Initializer(_device, 5), 3);
        Assert.Equal([1f, 1f, 1f], norm.Weight.Value.ToArray());
        Assert.Equal([0f, 0f, 0f], norm.Bias.Value.ToArray());
    }

    [Fact]
    public void OneSeedGivesOneStream()
    {
        var init = new Initializer(_device, 9);
        using Parameter a = init.Uniform(new Shape(50), 1), b = init.Uniform(new Shape(50), 1);
        Assert.NotEqual(a.Value.ToArray(), b.Value.ToArray());
        using Parameter again = new Initializer(_device, 9).Uniform(new Shape(50), 1), other = new Initializer(_device, 10).Uniform(new Shape(50), 1);
        Assert.Equal(a.Value.ToArray(), again.Value.ToArray());
        Assert.NotEqual(a.Value.ToArray(), other.Value.ToArray());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    [InlineData(1e38)]
    public void ValuesThatAreNoneAreRefused(double size)
    {
        var init = new Initializer(_device, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => init.Normal(new Shape(3), size));
        Assert.Throws<ArgumentOutOfRangeException>(() => init.Uniform(new Shape(3), size));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Linear(init, 0, 3));
        using (Parameter wide = init.Normal(new Shape(999), 1e37), even = init.Uniform(new Shape(999), 1e37))
        {
            Assert.All(wide.Value.ToArray().Concat(even.Value.ToArray()), value => Assert.True(float.IsFinite(value)));
        }

        var refused = Assert.Throws<ArgumentException>(() => init.Constant(new Shape(65536, 65536), 0));
        Assert.Contains("[65536, 65536]", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    public void Dispose() => _device.Dispose();

    private double[] Values(Func<Initializer, Parameter> draw)
    {
        using var parameter = draw(new Initializer(_device, 4));
        return Array.ConvertAll(parameter.Value.ToArray(), v => (double)v);
    }
}
