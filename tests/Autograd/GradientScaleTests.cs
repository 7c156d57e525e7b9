using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>The scale that an operation finds while it writes a gradient is that of the whole gradient, or nobody's.</summary>
public class GradientScaleTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AScaleIsOfTheGradientAsItStands(bool wanted)
    {
        using var device = new CpuDevice();
        using var x = Rows(device, wanted);
        Train(device, x, (tape, tokens) => tape.Sum(tape.Scale(tape.Splice(x, tokens, 1, 1), 3)));
        using var scale = x.TakeGradientScale();

        // 3 comes into 8 .. 16 by 4.
        Assert.Equal(wanted ? [4f, 0.25f] : null, scale?.ToArray());
        Assert.Null(x.TakeGradientScale());
    }

    // The operation recorded last runs backward first.
    [Fact]
    public void WhatIsAddedBeforeCounts()
    {
        using var device = new CpuDevice();
        using var x = Rows(device, wanted: true);
        Train(device, x, (tape, tokens) =>
        {
            Variable spliced = tape.Sum(tape.Splice(x, tokens, 1, 1)), other = tape.Sum(tape.Scale(x, 63));
            return tape.Add(spliced, other);
        });
        using var scale = x.TakeGradientScale();
        Assert.Equal([0.125f, 8f], scale!.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatIsAddedAfterwardsMakesItVoid(bool shared)
    {
        using var device = new CpuDevice();
        using var x = Rows(device, wanted: true);
        Train(device, x, (tape, tokens) =>
        {
            Variable other = tape.Sum(shared ? tape.Add(x, x) : tape.Scale(x, 63)), spliced = tape.Sum(tape.Splice(x, tokens, 1, 1));
            return tape.Add(spliced, other);
        });
        Assert.Null(x.TakeGradientScale());
    }

    // What is put in is what it is put into: each half of the gradient is 3.
    [Fact]
    public void AScaleIsOfBothPartsOfAGradient()
    {
        using var device = new CpuDevice();
        using var x = Rows(device, wanted: true);
        Train(device, x, (tape, _) => tape.Sum(tape.Scale(tape.Splice(x, x, 4, 0), 3)));
        using var scale = x.TakeGradientScale();
        Assert.True(scale is null || scale.ToArray()[0] == 2);
        Assert.All(x.Gradient!.ToArray(), value => Assert.Equal(6, value));
    }

    [Fact]
    public void WhoAsksForTheGradientMayChangeIt()
    {
        using var device = new CpuDevice();
        using var x = Rows(device, wanted: true);
        Train(device, x, (tape, tokens) => tape.Sum(tape.Splice(x, tokens, 1, 1)));
        x.Gradient!.Clear();
        Assert.Null(x.TakeGradientScale());
        x.ClearGradient();
        Assert.Null(x.TakeGradientScale());
    }

    private static Parameter Rows(Device device, bool wanted) =>
        new(device.FromHost([1f, 2, 3, 4, 5, 6, 7, 8], new Shape(1, 4, 2))) { WantsGradientScale = wanted };

    private static void Train(Device device, Parameter x, Func<Tape, Variable, Variable> loss)
    {
        using var tape = new Tape(device, recording: true, 1);
        tape.Backward(loss(tape, tape.Input(device.FromHost([1f, 2], new Shape(1, 2)))));
        Assert.NotNull(x.SharedGradient);
    }
}
