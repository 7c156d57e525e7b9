using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>
/// Where libraries could differ: ties, NaN and infinity, ignored targets, shapes that broadcast or do not. Expected values are NumPy's and PyTorch's,
/// written out.
/// </summary>
public sealed class AlgebraTests : IDisposable
{
    private readonly CpuDevice _device = new(2);

    public void Dispose()
    {
        Assert.Equal(0, _device.Pool.LiveBlocks);
        _device.Dispose();
    }

    [Fact]
    public void ElementsThatShareTheMaximumShareItsGradient()
    {
        using var tape = new Tape(_device, recording: true);
        var x = Input(tape, [1, 3, 3, 2, -1, -1], 2, 3);
        var y = tape.Max(x, 1);
        Assert.Equal([3, 2], y.Value.ToArray());
        using var gradient = _device.FromHost([1f, 10], y.Shape);
        tape.Backward(y, gradient);

        // torch.amax(x, 1): evenly among equal maxima.
        Assert.Equal([0, 0.5f, 0.5f, 10, 0, 0], x.Gradient!.ToArray());
    }

    // torch: the infinite slope of the root at zero does not come back through a relu that let nothing through.
    [Fact]
    public void NothingComesBackWhereReluLetNothingThrough()
    {
        using var tape = new Tape(_device, recording: true);
        var x = Input(tape, [-1, 0, 4, -0f, -3], 5);
        tape.Backward(tape.Sum(tape.Sqrt(tape.Relu(x))));
        Assert.Equal([0, 0, 0.25f, 0, 0], x.Gradient!.ToArray());
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(40, 1)]
    [InlineData(40, 21)]
    public void MaxShowsNan(int length, int inner)
    {
        for (int at = 0; at < length; at += 7)
        {
            float[] values = [.. Enumerable.Range(0, 2 * length * inner).Select(i => (float)(i % 11))];
            values[(at * inner) + (inner / 2)] = float.NaN;
            using var tape = new Tape(_device, recording: false);
            float[] max = tape.Max(Input(tape, values, 2, length, inner), 1).Value.ToArray();
            Assert.True(float.IsNaN(max[inner / 2]));
            Assert.Equal(1, max.Count(float.IsNaN));
        }
    }

    [Fact]
    public void FunctionsAtTheEndsOfTheirRange()
    {
        float inf = float.PositiveInfinity, nan = float.NaN;
        using var tape = new Tape(_device, recording: false);
        float[] Of(Func<Variable, Variable> function, params float[] x) => function(Input(tape, x, x.Length)).Value.ToArray();
        Assert.Equal([inf, inf, 0, 0, nan, 1], Of(x => tape.Exp(x), inf, 89, -inf, -104, nan, 0));
        Assert.Equal([-inf, inf, -1], Of(x => tape.Divide(Input(tape, [1, 1, 1], 3), tape.Negate(x)), 0, -0f, 1));
        Assert.InRange(Of(x => tape.Exp(x), 88.7f)[0], 3.3e38f, 3.4e38f);
        Assert.InRange(Of(x => tape.Exp(x), -100f)[0], 3.6e-44f, 3.8e-44f);
        Assert.Equal([-inf, nan, inf, 0, nan], Of(x => tape.Log(x), 0, -1, inf, 1, nan));
        Assert.Equal([nan, 0, inf], Of(x => tape.Sqrt(x), -1, 0, inf));
        Assert.Equal([1, -1, 1, 0, nan], Of(x => tape.Tanh(x), inf, -inf, 20, 0, nan));
        Assert.Equal([nan, 0, 3], Of(x => tape.Relu(x), nan, -3, 3));
        Assert.Equal([20, 0, nan], Of(x => tape.Gelu(x), 20, -20, nan));
        Assert.Equal([1, nan, 0], Of(x => tape.Sigmoid(x), inf, nan, -inf), (a, b) => a.Equals(b) || Math.Abs(a - b) < 1e-37f);

        // scipy.stats.norm.cdf(x) * x
        float[] gelu = Of(x => tape.Gelu(x), -3, -1, -0.1f, 0.5f, 2);
        double[] expected = [-0.00404969409489031, -0.158655253931457, -0.0460172162722971, 0.345731230658998, 1.95449973610364];
        Assert.All(gelu.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 4e-7 * Math.Abs(pair.Second)));
    }

    [Fact]
    public void IgnoredTargetsDoNotCount()
    {
        using var tape = new Tape(_device, recording: true);
        var logits = Input(tape, [1, 2, 3, 0, 0, 0, 5, 1, 1, 2, 2, 0], 2, 2, 3);
        using var targets = _device.FromHost([2, -100, 0, 1], new Shape(2, 2));
        var loss = tape.CrossEntropy(logits, targets);

        // torch.nn.functional.cross_entropy: the mean over the three rows that count.
        Assert.Equal(0.40760596444438 + 0.03597629974819 + 0.75862367567951, 3 * loss.Value.ToScalar(), 2e-6);
        tape.Backward(loss);
        float[] gradient = logits.Gradient!.ToArray();
        Assert.Equal([0, 0, 0], gradient[3..6]);
        Assert.Equal((0.665240956 - 1) / 3, gradient[2], 1e-6);
        using var none = _device.FromHost([-100, -100, -100, -100], new Shape(2, 2));
        Assert.True(float.IsNaN(tape.CrossEntropy(logits, none).Value.ToScalar()));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => tape.CrossEntropy(logits, [0, 1, 3, 0]));
        Assert.Contains("target 3 of row 2 must be 0..2, or -100", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWhereLeavesOutDoesNotShow()
    {
        using var tape = new Tape(_device, recording: true);
        var x = Input(tape, [4, -1, 0], 3);
        var y = tape.Where(
            tape.Greater(x, 0), tape.Log(x), tape.Constant(_device.FromHost([float.NegativeInfinity, 7, float.NegativeInfinity], new Shape(3))));
        Assert.Equal([MathF.Log(4), 7, float.NegativeInfinity], y.Value.ToArray());

        // A row with masked scores, as in attention: exactly zero weight.
        var weights = tape.Softmax(tape.Constant(_device.FromHost([0f, float.NegativeInfinity, 0, float.NegativeInfinity], new Shape(1, 4))));
        Assert.Equal([0.5f, 0, 0.5f, 0], weights.Value.ToArray());
        var columns = tape.Softmax(tape.Constant(_device.FromHost([0f, float.NegativeInfinity, 0, 0], new Shape(2, 2))), 0);
        Assert.Equal([0.5f, 0, 0.5f, 1], columns.Value.ToArray());
    }

    [Fact]
    public void ShapesBroadcastByNumPysRules()
    {
        using var tape = new Tape(_device, recording: false);
        Variable Zeros(params int[] sizes) => tape.Constant(_device.Zeros(new Shape(sizes)));
        Assert.Equal(new Shape(8, 7, 6, 5), tape.Add(Zeros(8, 1, 6, 1), Zeros(7, 1, 5)).Shape);
        Assert.Equal(new Shape(0, 3), tape.Multiply(Zeros(0, 3), Zeros(1, 3)).Shape);
        Assert.Equal(0, tape.Sum(Zeros(3, 4)).Shape.Rank);
        Assert.Equal(new Shape(1, 4), tape.Mean(Zeros(3, 4), [-2], keepDims: true).Shape);
        Assert.Equal(new Shape(2, 3, 4, 6), tape.MatMul(Zeros(2, 3, 4, 5), Zeros(5, 6)).Shape);
        Assert.Contains(
            "[2, 3] and [4] do not broadcast",
            Assert.Throws<ArgumentException>(() => tape.Subtract(Zeros(2, 3), Zeros(4))).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => tape.MatMul(Zeros(2, 3), Zeros(4, 5)));
        Assert.Throws<ArgumentException>(() => tape.Permute(Zeros(2, 3), 0, 0));
        Assert.Throws<ArgumentException>(() => tape.Sum(Zeros(2, 3), [0, -2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tape.Softmax(Zeros(2, 3), 2));
        Assert.Contains(
            "softmax: expected at least 1 dimension for axis -1, got []", Assert.Throws<ArgumentException>(() => tape.Softmax(Zeros(), -1)).Message);
        Assert.Throws<ArgumentException>(() => tape.Max(Zeros(2, 0), 1));
        Assert.Throws<ArgumentException>(() => tape.Mean(Zeros(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => tape.Slice(Zeros(2, 3), 1, 1, int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => tape.Embedding(Zeros(4, 2), [0, 4], 2));
        using var ids = _device.FromHost([0, -1], new Shape(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => tape.Embedding(Zeros(4, 2), ids));
        Assert.Equal([0, 0], tape.Sum(Zeros(2, 0), 1).Value.ToArray());
    }

    [Fact]
    public void LaterTokensDoNotChangeABitOfCausalAttention()
    {
        float[] Run(float last)
        {
            using var tape = new Tape(_device, recording: false);
            float[] values = [.. Cases.CaseRandom.Normal("causal", 4 * 6 * 8)];
            values.AsSpan(^8..).Fill(last);
            var x = Input(tape, values, 4, 6, 8);
            return tape.Attention(x, x, x, 2, 0, causal: true).Value.ToArray();
        }

        Assert.Equal(Run(1)[..^8], Run(-3)[..^8]);
    }

    private static Variable Input(Tape tape, float[] values, params int[] sizes) => tape.Input(tape.Device.FromHost(values, new Shape(sizes)));
}
