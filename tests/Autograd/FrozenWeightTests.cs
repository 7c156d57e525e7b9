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

    public static TheoryData<string> Readers => [.. s_readers.Keys];

    // What reads the weight besides products: it gets rows, and products find them from then on.
    [Theory]
    [MemberData(nameof(Readers))]
    public void WhatReadsRowsFindsThemBeforeAndAfterAProduct(string reader)
    {
        using var plain = Weight(64, 8, trainable: true);
        float[] Results(Parameter weight, int order)
        {
            using var tape = new Tape(_device, recording: true);
            var x = tape.Input(_device.FromHost(CaseRandom.Normal("x", 3 * 8), new Shape(3, 8)));
            Variable? read = order == 0 ? s_readers[reader](tape, weight, x) : null;
            var product = tape.Linear(x, weight, null);
            read ??= s_readers[reader](tape, weight, x);
            tape.Backward(tape.Sum(product) + tape.Sum(read));
            weight.ClearGradient();
            return [.. read.Value.ToArray(), .. product.Value.ToArray(), .. x.Gradient!.ToArray()];
        }

        for (int order = 0; order < 2; order++)
        {
            using var frozen = Weight(64, 8, trainable: false);
            float[] expected = Results(plain, order);
            Assert.Equal(expected, Results(frozen, order));
            Assert.Equal(expected, Results(frozen, order));
            Assert.False(frozen.Value.InPanels);
            Assert.Equal(plain.Value.ToArray(), frozen.Value.ToArray());
        }
    }

    private static readonly Dictionary<string, Func<Tape, Parameter, Variable, Variable>> s_readers = new()
    {
        ["embedding"] = (tape, weight, _) => tape.Embedding(weight, [3, 0, 63, 3], 4),
        ["matmul"] = (tape, weight, x) => tape.MatMul(x, weight, transposeB: true),
        ["sum"] = (tape, weight, x) => tape.Add(tape.Slice(weight, 0, 5, 3), x),
        ["constant"] = (tape, weight, x) => tape.Linear(x, tape.Constant(weight.Value.Share()), null),
        ["reshape"] = (tape, weight, x) => tape.Linear(tape.Reshape(x, 6, 4), tape.Reshape(weight, 128, 4), null),
        ["own"] = (tape, weight, x) => tape.Apply(new OutsideOperation(), weight, tape.Slice(tape.Reshape(x, 24), 0, 9, 8)),
        ["span"] = (tape, weight, x) => tape.Scale(x, weight.Value.AsSpan<float>()[17]),
        ["row"] = (tape, weight, x) => tape.Scale(x, Row(weight, 33)[5]),
    };

    private static float[] Row(Parameter weight, int row)
    {
        using var part = weight.Value.Slice(row, 1);
        return part.ToArray();
    }

    // Two weights that are parts of one block, and one block under two shapes: each product reads its own rows.
    [Fact]
    public void WeightsThatShareABlockKeepTheirRows()
    {
        float[] values = CaseRandom.Normal("both", 64 * 8);
        using var both = _device.FromHost(values, new Shape(64, 8));
        using Parameter first = new(both.Slice(0, 32), false), second = new(both.Slice(32, 32), false);
        using Parameter whole = new(both.Share(), false), other = new(both.Reshape(128, 4), false);
        using var x = _device.FromHost(CaseRandom.Normal("x", 24), new Shape(3, 8));
        float[] Product(Parameter weight)
        {
            using var tape = new Tape(_device, recording: false);
            return tape.Linear(tape.Constant(x.Reshape(24 / weight.Shape[1], weight.Shape[1])), weight, null).Value.ToArray();
        }

        for (int round = 0; round < 2; round++)
        {
            foreach (var weight in new[] { first, second, whole, other, first })
            {
                using var alone = new Parameter(weight.Value.Clone());
                Assert.Equal(Product(alone), Product(weight));
            }
        }

        Assert.Equal(values, both.ToArray());
    }

    [Fact]
    public void APartIsReadWrittenAndClearedWhereItIs()
    {
        using var weight = Weight(64, 8, trainable: false);
        float[] values = weight.Value.ToArray();
        using Tensor part = weight.Value.Slice(1, 3), panel = weight.Value.Slice(32, 32);
        Assert.True(weight.KeepPacked());
        Assert.Equal(values[256..], panel.ToArray());
        Assert.True(weight.Value.InPanels);
        part.Clear();
        values.AsSpan(8, 24).Clear();
        Assert.Equal(values, weight.Value.ToArray());
        Assert.False(weight.KeepPacked());
    }

    [Fact]
    public void ThreadsMayReadAndMultiplyAtOnce()
    {
        using var device = new CpuDevice(1);
        using var plain = Weight(64, 48, trainable: true);
        using var x = _device.FromHost(CaseRandom.Normal("x", 2 * 48), new Shape(2, 48));
        float[] Product(Parameter weight)
        {
            using var tape = new Tape(_device, recording: false);
            return tape.Linear(tape.Constant(x.Share()), weight, null).Value.ToArray();
        }

        float[] expected = Product(plain), rows = plain.Value.ToArray();
        for (int round = 0; round < 20; round++)
        {
            using var weight = Weight(64, 48, trainable: false);
            Exception? error = null;
            var thread = new Thread(() => error = Record.Exception(() =>
            {
                for (int i = 0; i < 20; i++)
                {
                    Assert.Equal(expected, Product(weight));
                }
            }));
            thread.Start();
            using (var tape = new Tape(_device, recording: false))
            {
                Assert.Equal(rows[(48 * 7)..(48 * 8)], tape.Embedding(weight, [7], 1).Value.ToArray());
            }

            thread.Join();
            Assert.Null(error);
        }
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
        weight.Trainable = false;
        Assert.True(weight.KeepPacked());
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
