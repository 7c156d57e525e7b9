using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>
/// The mask of a part of a batch is the rows of the whole batch's mask, forward and backward: which process computes a picture does not matter.
/// </summary>
public sealed class DropoutPartTests
{
    private const int Batch = 6;
    private readonly Shape _whole = new(Batch, 5, 7);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RowsOfElements(int rows) => Compare(rows, (tape, x) => tape.Dropout(x, 0.4f));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RowsOfAttention(int rows) => Compare(rows, (tape, x) => tape.Attention(x, x, x, 7, 0.4f));

    [Fact]
    public void WhatTheBatchSharesHasOneMask()
    {
        float[] Dropped(long first)
        {
            using var device = new CpuDevice(1);
            using var tape = new Tape(device, recording: true, seed: 3) { FirstRow = first };
            return tape.Dropout(tape.Input(Values(device, 0, Batch)), 0.4f, shared: true).Value.ToArray();
        }

        Assert.Equal(Dropped(0), Dropped(4));
        Assert.NotEqual(Dropped(0), Values());
    }

    [Fact]
    public void PlacesBeyondTheIntegersAreCounted()
    {
        // One element a row: places are rows, and a vector of them crosses 2^32.
        float[] Dropped(long first, int count)
        {
            using var device = new CpuDevice(1);
            using var tape = new Tape(device, recording: true, seed: 3) { FirstRow = first };
            return tape.Dropout(tape.Input(device.FromHost(Enumerable.Repeat(1f, count).ToArray(), new Shape(count, 1))), 0.5f).Value.ToArray();
        }

        long start = (1L << 32) - 37;
        float[] whole = Dropped(start, 75);
        Assert.Equal(whole, Enumerable.Range(0, 75).SelectMany(i => Dropped(start + i, 1)));
        Assert.NotEqual(whole, Dropped(0, 75));
    }

    private void Compare(int rows, Func<Tape, Variable, Variable> operation)
    {
        var (whole, gradient) = Run(0, Batch, operation);
        Assert.NotEqual(whole, gradient);
        int row = whole.Length / Batch;
        for (int first = 0; first < Batch; first += rows)
        {
            var (part, partGradient) = Run(first, rows, operation);
            Assert.Equal(whole[(first * row)..((first + rows) * row)], part);
            Assert.Equal(gradient[(first * row)..((first + rows) * row)], partGradient);
        }
    }

    private (float[] Value, float[] Gradient) Run(int first, int rows, Func<Tape, Variable, Variable> operation)
    {
        using var device = new CpuDevice(1);
        using var tape = new Tape(device, recording: true, seed: 3) { FirstRow = first };
        Variable x = tape.Input(Values(device, first, rows)), y = operation(tape, x);
        tape.Backward(y);
        return (y.Value.ToArray(), x.Gradient!.ToArray());
    }

    private Tensor Values(Device device, int first, int rows)
    {
        int row = (int)_whole.Count / Batch;
        return device.FromHost(Values().AsSpan(first * row, rows * row), new Shape(rows, _whole[1], _whole[2]));
    }

    private float[] Values() => [.. Enumerable.Range(0, (int)_whole.Count).Select(i => MathF.Sin(i))];
}
