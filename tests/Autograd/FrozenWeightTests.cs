using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>Frozen weights are kept in the order in which products read them, and nobody but the clock notices.</summary>
[Collection("simd")]
public sealed class FrozenWeightTests : IDisposable
{
    private readonly int _bits = SimdLevel.Bits;
    private readonly CpuDevice _device = new(2);

    [Theory]
    [InlineData(128, 5, 64, 96)]
    [InlineData(256, 37, 300, 64)]
    [InlineData(512, 37, 300, 64)]
    [InlineData(512, 200, 1312, 160)]
    [InlineData(512, 3, 33, 32)]
    public void ResultsAndGradientsAreThoseOfPlainWeightsToTheBit(int bits, int rows, int inputs, int outputs)
    {
        SimdLevel.Bits = bits;
        using var plain = Weight(outputs, inputs, trainable: true);
        using var frozen = Weight(outputs, inputs, trainable: false);
        var expected = Run(plain, rows, inputs, outputs);
        var actual = Run(frozen, rows, inputs, outputs);
        Assert.False(plain.Value.InPanels);
        Assert.True(frozen.Value.InPanels);
        Assert.Equal(expected.Y, actual.Y);
        Assert.Equal(expected.Dx, actual.Dx);
    }

    [Fact]
    public void TakesNoMemoryAndReadsBackAsItWas()
    {
        using var weight = Weight(64, 48, trainable: false);
        float[] values = weight.Value.ToArray();
        long live = _device.Pool.LiveBytes, reserved = _device.Pool.ReservedBytes;
        Assert.True(weight.KeepPacked());
        Assert.Equal((live, reserved), (_device.Pool.LiveBytes, _device.Pool.ReservedBytes));
        Assert.Equal(values, weight.Value.ToArray());
        using var copy = weight.Value.Clone();
        Assert.False(copy.InPanels);
        Assert.Equal(values, copy.ToArray());

        Array.Reverse(values);
        weight.Value.CopyFromHost<float>(values);
        Assert.Equal(values, weight.Value.ToArray());
        copy.Clear();
        weight.Value.CopyFrom(copy);
        Assert.True(weight.Value.InPanels);
        Assert.All(weight.Value.ToArray(), v => Assert.Equal(0f, v));
    }

    [Fact]
    public void OnlyProductsReadPanels()
    {
        using var weight = Weight(32, 8, trainable: false);
        Assert.True(weight.KeepPacked());
        var error = Assert.Throws<InvalidOperationException>(() => weight.Value.View);
        Assert.Contains("[32, 8]", error.Message, StringComparison.Ordinal);
        using var part = weight.Value.Slice(1, 3);
        Assert.Throws<InvalidOperationException>(() => part.ToArray());
    }

    [Fact]
    public void ThawedWeightsAreInRowsAgain()
    {
        using var weight = Weight(64, 20, trainable: false);
        float[] values = weight.Value.ToArray();
        Assert.True(weight.KeepPacked());
        weight.Trainable = true;
        Assert.False(weight.Value.InPanels);
        Assert.False(weight.KeepPacked());
        Assert.Equal(values, weight.Value.ToArray());
    }

    [Fact]
    public void OddNumbersOfOutputsStayInRows()
    {
        using var weight = Weight(33, 8, trainable: false);
        Assert.False(weight.KeepPacked());
        Assert.Equal(8 * 33, weight.Value.ToArray().Length);
        _ = weight.Value.View;
    }

    // The pool hands the block out again: it must not think that it still holds panels.
    [Fact]
    public void TheMemoryForgetsIt()
    {
        var weight = Weight(64, 64, trainable: false);
        Assert.True(weight.KeepPacked());
        weight.Dispose();
        using var next = _device.FromHost(new float[64 * 64], new Shape(64, 64));
        Assert.False(next.InPanels);
    }

    public void Dispose()
    {
        SimdLevel.Bits = _bits;
        _device.Dispose();
    }

    private Parameter Weight(int outputs, int inputs, bool trainable) =>
        new(_device.FromHost(CaseRandom.Normal("weight", outputs * inputs), new Shape(outputs, inputs)), trainable);

    private (float[] Y, float[] Dx) Run(Parameter weight, int rows, int inputs, int outputs)
    {
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(_device.FromHost(CaseRandom.Normal("x", rows * inputs), new Shape(rows, inputs)));
        var y = tape.Linear(x, weight, null, Activation.QuickGelu);
        float[] values = y.Value.ToArray();
        using var dy = _device.FromHost(CaseRandom.Normal("dy", rows * outputs), new Shape(rows, outputs));
        tape.Backward(y, dy);
        weight.ClearGradient();
        return (values, x.Gradient!.ToArray());
    }
}
