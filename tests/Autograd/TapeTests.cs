using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

public sealed class TapeTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Fact]
    public void EachTapeDropsOtherElementsUnlessItIsGivenASeed()
    {
        float[] Drop(Device device, ulong? seed)
        {
            using var tape = new Tape(device, recording: true, seed);
            return tape.Dropout(tape.Constant(device.FromHost(Enumerable.Repeat(1f, 64).ToArray(), new Shape(64))), 0.5f).Value.ToArray();
        }

        using var again = new CpuDevice(1);
        float[][] masks = [.. Enumerable.Range(0, 3).Select(_ => Drop(_device, null))],
            repeated = [.. Enumerable.Range(0, 3).Select(_ => Drop(again, null))];
        Assert.Equal(3, masks.Select(m => string.Join(' ', m)).Distinct().Count());
        Assert.Equal(masks, repeated);
        Assert.Equal(Drop(_device, 5), Drop(_device, 5));
    }

    [Fact]
    public void BranchesOfASumShareTheGradientUntilSomebodyWrites()
    {
        // y = (a + b) + a: both gradients start as one tensor; a's second contribution must not reach b.
        using var tape = new Tape(_device, recording: true);
        Variable a = tape.Input(Values("a", 2, 3)), b = tape.Input(Values("b", 2, 3));
        var sum = tape.Add(a, b);
        long before = 0;
        var seen = tape.Result(sum.Value.Share(), sum);
        tape.Record(new Probe(seen, sum, () => before = _device.Pool.LiveBlocks));
        using var upstream = Values("up", 2, 3);
        tape.Backward(tape.Add(seen, a), upstream);
        float[] up = upstream.ToArray();
        Assert.Equal(up.Select(v => 2 * v), a.Gradient!.ToArray());
        Assert.Equal(up, b.Gradient!.ToArray());
        Assert.NotSame(a.Gradient.Storage, b.Gradient.Storage);
        Assert.Equal(up, upstream.ToArray());
        Assert.True(before > 0);
    }

    // Inside, equal gradients are one tensor; outside, what is done to one in place is done to that one.
    [Fact]
    public void GradientsAreTheirVariablesOwn()
    {
        using Parameter p = new(Values("p", 2, 3)), q = new(Values("q", 6));
        using var upstream = Values("up", 2, 3);
        float[] up = upstream.ToArray();
        using (var tape = new Tape(_device, recording: true))
        {
            tape.Backward(tape.Add(tape.Add(tape.Constant(Values("h", 2, 3)), p), tape.Reshape(q, 2, 3)), upstream);
        }

        Assert.Same(p.SharedGradient!.Storage, q.SharedGradient!.Storage);
        upstream.Clear();
        p.Gradient!.AsSpan<float>()[0] = 77;
        Assert.Equal(up, q.Gradient!.ToArray());
        Assert.Equal([77, .. up[1..]], p.Gradient.ToArray());
        Assert.Equal(new Shape(6), q.Gradient.Shape);
        Assert.Same(q.Gradient, q.Gradient);
    }

    [Theory]
    [InlineData(6, 4)]
    [InlineData(24, 1)]
    public void AResidualHasTheColumnsOfTheResult(int rows, int columns)
    {
        using var tape = new Tape(_device, recording: true);
        Variable x = tape.Input(Values("x", 4, 8)), weight = tape.Input(Values("w", 6, 8)), turned = tape.Input(Values("r", rows, columns));
        Assert.Contains("expected [4, 6]", Assert.Throws<ArgumentException>(() => tape.Linear(x, weight, null, residual: turned)).Message);
        tape.Linear(x, weight, null, residual: tape.Reshape(turned, 2, 2, 6));
    }

    // A batch of nothing that shares an operand: its gradient is a sum of no products.
    [Theory]
    [InlineData(new[] { 2, 3 }, new[] { 0, 3, 4 }, false)]
    [InlineData(new[] { 0, 3, 2 }, new[] { 3, 4 }, true)]
    [InlineData(new[] { 0, 2, 3 }, new[] { 3, 4 }, false)]
    [InlineData(new[] { 5, 0, 3 }, new[] { 3, 4 }, false)]
    [InlineData(new[] { 2, 3 }, new[] { 5, 3, 0 }, false)]
    public void ProductsOfNothingHaveZeroGradients(int[] left, int[] right, bool transposeA)
    {
        using var device = new CpuDevice(1, watched: true);
        using var tape = new Tape(device, recording: true);
        Variable a = tape.Input(device.Zeros(new Shape(left))), b = tape.Input(device.Zeros(new Shape(right)));
        tape.Backward(tape.Sum(tape.MatMul(a, b, transposeA)));
        Assert.All(a.Gradient!.ToArray().Concat(b.Gradient!.ToArray()), v => Assert.Equal(0f, v));
    }

    [Fact]
    public void ShapesThatDoNotFitAreRefusedBeforeMemoryIsRead()
    {
        using var tape = new Tape(_device, recording: true);
        Variable x = tape.Input(Values("x", 4, 8)), weight = tape.Input(Values("w", 3, 8)), row = tape.Input(Values("r", 1, 3));
        Assert.Contains("do not fit residual [1, 3]", Assert.Throws<ArgumentException>(() => tape.Linear(x, weight, null, residual: row)).Message);
        using var labels = _device.Empty(new Shape(1, 2, 2), DType.UInt8);
        Variable logits = tape.Input(Values("z", 1, 256, 1, 1));
        Assert.Contains("at most 255 classes", Assert.Throws<ArgumentException>(() => tape.MaskLoss(logits, labels, 1, 1, 0.25f, out _)).Message);
    }

    // A bad weight must not hide behind an activation.
    [Theory]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.QuickGelu)]
    public void ActivationsKeepNotANumber(Activation activation)
    {
        // One column, so that every output is an input: also of an odd number, beyond the last whole vector.
        using var tape = new Tape(_device, recording: true);
        using var x = _device.FromHost([-2, float.NaN, 3], new Shape(3, 1));
        using var ones = _device.FromHost([.. Enumerable.Repeat(1f, 19)], new Shape(19, 1));
        float[] applied = tape.Linear(tape.Input(x.Share()), tape.Input(ones.Share()), null, activation).Value.ToArray();
        Assert.Equal(Enumerable.Range(0, 3 * 19).Select(i => i / 19 == 1), applied.Select(float.IsNaN));
    }

    [Fact]
    public void ATensorOfReleasedMemoryHasNoOtherShapes()
    {
        Tensor tensor = Values("t", 2, 3);
        tensor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.Reshape(6));
        Assert.Throws<ObjectDisposedException>(() => tensor.Slice(0, 1));
    }

    [Fact]
    public void MemoryThatTheSystemDoesNotGiveIsSaidInASentence()
    {
        string message = Assert.Throws<InputException>(() => _device.Empty(new Shape(int.MaxValue, 1 << 30), DType.UInt8)).Message;
        Assert.Contains("out of memory for UInt8", message);
        Assert.Contains("a smaller batch or picture may fit", message);
    }

    [Fact]
    public void ASumOfAValueWithItselfDoublesTheGradient()
    {
        using var tape = new Tape(_device, recording: true);
        var a = tape.Input(Values("a", 5));
        using var upstream = Values("up", 5);
        tape.Backward(tape.Add(a, a), upstream);
        Assert.Equal(upstream.ToArray().Select(v => 2 * v), a.Gradient!.ToArray());
    }

    [Fact]
    public void ResidualBranchesAllocateOneCopy()
    {
        // x + f(x): the gradient of x is shared with the output's until f adds to it, which copies once.
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(Values("x", 64, 64));
        var y = tape.Add(x, tape.Scale(x, 0.5f));
        using var upstream = Values("up", 64, 64);
        long before = _device.Pool.LiveBlocks;
        tape.Backward(y, upstream);

        // Left: one gradient, that of x (the output's shared the caller's tensor).
        Assert.Equal(before + 1, _device.Pool.LiveBlocks);
        Close(upstream.ToArray().Select(v => 1.5 * v), x.Gradient!.ToArray());
    }

    [Fact]
    public void TheBackwardReleasesAsItGoes()
    {
        // A chain of layers: when the backward reaches the first, what the later ones saved has gone.
        using var init = new Linear(new Initializer(_device, 1), 32, 32);
        using var tape = new Tape(_device, recording: true);
        long atFirst = -1;
        var x = tape.Input(Values("x", 16, 32));
        var watched = tape.Result(x.Value.Share(), x);
        tape.Record(new Probe(watched, x, () => atFirst = _device.Pool.LiveBlocks));
        Variable y = watched;
        long before = _device.Pool.LiveBlocks;
        for (int i = 0; i < 10; i++)
        {
            var next = init.Forward(tape, y, Activation.QuickGelu);
            if (i > 0)
            {
                y.Dispose();
            }

            y = next;
        }

        // Every layer keeps its input and its values before the activation.
        Assert.True(_device.Pool.LiveBlocks >= before + 20);
        using var upstream = Values("up", 16, 32);
        tape.Backward(y, upstream);

        // Left at the first: x, the output, upstream, weight and bias with their gradients, the gradient that arrives.
        Assert.InRange(atFirst, 1, before + 6);
        Assert.NotNull(init.Weight.Gradient);
    }

    [Fact]
    public void AnAbandonedTapeLeaksNothing()
    {
        long before = _device.Pool.LiveBlocks;
        using (var model = new Linear(new Initializer(_device, 1), 8, 8))
        {
            long withModel = _device.Pool.LiveBlocks;
            using (var tape = new Tape(_device, recording: true))
            {
                var x = tape.Constant(Values("x", 4, 8));
                tape.Dropout(model.Forward(tape, x, Activation.Relu), 0.5f);
                Assert.True(_device.Pool.LiveBlocks > withModel);
            }

            Assert.Equal(withModel, _device.Pool.LiveBlocks);
        }

        Assert.Equal(before, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AnExceptionInTheForwardLeaksNothing()
    {
        using var a = Values("a", 2, 3);
        long before = _device.Pool.LiveBlocks;
        var error = Assert.Throws<ArgumentException>(() =>
        {
            using var tape = new Tape(_device, recording: true);
            var x = tape.Input(a.Clone());
            var y = tape.Scale(x, 2);
            tape.Add(y, tape.Constant(Values("b", 3, 2)));
        });
        Assert.Equal("add: shapes [2, 3] and [3, 2] do not broadcast: sizes 3 and 2 at axis -1 must be equal, or one of them 1", error.Message);
        Assert.Equal(before, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AnExceptionInTheBackwardLeaksNothing()
    {
        using var model = new Linear(new Initializer(_device, 1), 3, 3);
        long before = _device.Pool.LiveBlocks;
        Assert.Throws<InvalidOperationException>(() =>
        {
            using var tape = new Tape(_device, recording: true);
            var x = tape.Input(Values("a", 2, 3));
            var y = model.Forward(tape, x, Activation.QuickGelu);
            var broken = tape.Result(y.Value.Share(), y);
            tape.Record(new Probe(broken, y, () => throw new InvalidOperationException("broken")));
            tape.Backward(tape.Add(model.Forward(tape, broken), tape.Scale(broken, 2)));
        });

        // The parameters' gradients are theirs; everything else has gone.
        model.Weight.ClearGradient();
        model.Bias!.ClearGradient();
        Assert.Equal(before, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void FrozenParametersCostNothing()
    {
        const int rows = 64, width = 128;
        using var model = new Linear(new Initializer(_device, 1), width, width);
        long Kept(bool trainable, out long peak)
        {
            model.SetTrainable(trainable);
            using var tape = new Tape(_device, recording: true);
            var x = tape.Constant(Values("x", rows, width));
            var y = model.Forward(tape, x);
            x.Dispose();
            long kept = _device.Pool.LiveBytes - (rows * width * 4);
            _device.Pool.ResetPeak();
            if (trainable)
            {
                tape.Backward(y);
            }
            else
            {
                Assert.False(y.RequiresGradient);
                Assert.Empty(tape.Nodes);
                Assert.Throws<InvalidOperationException>(() => tape.Backward(y));
            }

            peak = _device.Pool.PeakBytes - (rows * width * 4);
            return kept;
        }

        long weights = _device.Pool.LiveBytes;
        Assert.Equal(weights, Kept(false, out long frozenPeak));
        Assert.Equal(weights, frozenPeak);
        Assert.Null(model.Weight.Gradient);

        // A trainable weight keeps the input and gets a gradient of its size.
        Assert.Equal(weights + (rows * width * 4), Kept(true, out long peak));
        Assert.True(peak >= weights + (width * width * 4));
        Assert.NotNull(model.Weight.Gradient);
    }

    [Fact]
    public void UnderAFrozenWeightTheInputIsNotKept()
    {
        const int rows = 64, width = 128;
        using var model = new Linear(new Initializer(_device, 1), width, width);
        model.SetTrainable(false);
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(Values("x", rows, width));
        var middle = tape.Scale(x, 2);
        long before = _device.Pool.LiveBytes;
        var y = model.Forward(tape, middle);
        middle.Dispose();

        // The output has taken the place of the input, and the gradient still goes through.
        Assert.Equal(before, _device.Pool.LiveBytes);
        tape.Backward(y);
        Assert.Null(model.Weight.Gradient);
        Assert.Null(model.Bias!.Gradient);
        Assert.NotNull(x.Gradient);
    }

    [Fact]
    public void WithoutRecordingThereIsNoBackward()
    {
        using var tape = new Tape(_device, recording: false);
        var x = tape.Input(Values("x", 3));
        var y = tape.Scale(x, 2);
        Assert.False(y.RequiresGradient);
        Assert.Empty(tape.Nodes);
        using (var dropped = tape.Dropout(y, 0.5f))
        {
            Assert.NotSame(y, dropped);
            Assert.Equal(y.Value.ToArray(), dropped.Value.ToArray());
        }

        // The handle was its own.
        Assert.Equal(3, y.Value.ToArray().Length);
        Assert.Throws<InvalidOperationException>(() => tape.Backward(y));
    }

    [Fact]
    public void DropoutMasksDifferWithinAStepAndRepeatWithTheSeed()
    {
        float[][] Masks(ulong seed)
        {
            using var tape = new Tape(_device, recording: true, seed);
            var x = tape.Input(_device.FromHost([.. Enumerable.Repeat(1f, 200)], new Shape(200)));
            return [tape.Dropout(x, 0.5f).Value.ToArray(), tape.Dropout(x, 0.5f).Value.ToArray()];
        }

        float[][] one = Masks(1), again = Masks(1), two = Masks(2);
        Assert.Equal(one, again);
        Assert.NotEqual(one[0], one[1]);
        Assert.NotEqual(one[0], two[0]);
        Assert.NotEqual(one[1], two[0]);
    }

    [Fact]
    public void ParameterGradientsAddUpOverTapes()
    {
        using var model = new Linear(new Initializer(_device, 1), 3, 2);
        float[] Gradient(string name)
        {
            using var tape = new Tape(_device, recording: true);
            using var upstream = Values("up", 4, 2);
            tape.Backward(model.Forward(tape, tape.Constant(Values(name, 4, 3))), upstream);
            return model.Weight.Gradient!.ToArray();
        }

        float[] first = Gradient("x");
        float[] both = Gradient("z");
        model.Weight.ClearGradient();
        float[] second = Gradient("z");
        Close(first.Zip(second, (a, b) => (double)a + b), both);
    }

    public void Dispose() => _device.Dispose();

    private static void Close(IEnumerable<double> expected, float[] actual) =>
        Assert.True(CaseDifference.Of("values", expected.ToArray(), actual, 1e-6).Passed);

    private Tensor Values(string name, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return _device.FromHost(CaseRandom.Normal(name, (int)shape.Count), shape);
    }

    // The identity that does something when the backward comes by.
    private sealed class Probe(Variable output, Variable x, Action action) : Node(output)
    {
        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            action();
            x.AddGradient(dy);
        }
    }
}
