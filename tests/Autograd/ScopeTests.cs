using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>A scope frees what it does not keep, and nothing else.</summary>
public sealed class ScopeTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FreesWhatIsNotKept(bool recording)
    {
        using var tape = new Tape(_device, recording);
        var x = tape.Constant(Values("x", 4, 8));
        long before = _device.Pool.LiveBlocks;
        Variable Part(out Variable[] dropped)
        {
            using var scope = tape.BeginScope();
            dropped = [tape.Scale(x, 2), tape.Scale(x, 3)];
            return scope.Keep(tape.Add(dropped[0], dropped[1]));
        }

        var y = Part(out var dropped);
        Assert.Equal(before + 1, _device.Pool.LiveBlocks);
        Assert.Equal(2, tape.LiveVariables);
        Assert.Equal(x.Value.ToArray().Select(v => (2 * v) + (3 * v)), y.Value.ToArray());
        var error = Assert.Throws<ObjectDisposedException>(() => dropped[1].Value);
        Assert.Contains("a variable [4, 8] is used after it was freed", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ObjectDisposedException>(() => tape.Add(y, dropped[0]));
        Assert.Contains("[4, 8] is used after it was freed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SeveralAreKeptThroughNestedScopes()
    {
        using var tape = new Tape(_device, recording: false);
        long before = _device.Pool.LiveBlocks;
        (Variable A, Variable B) Inner()
        {
            using var scope = tape.BeginScope();
            var x = tape.Constant(Values("x", 3));
            Variable a = tape.Scale(x, 2), b = tape.Scale(x, 3);
            return (scope.Keep(a), scope.Keep(b));
        }

        Variable Outer()
        {
            using var scope = tape.BeginScope();
            var (a, _) = Inner();
            Assert.Equal(before + 2, _device.Pool.LiveBlocks);
            return scope.Keep(a);
        }

        var kept = Outer();
        Assert.Equal(before + 1, _device.Pool.LiveBlocks);
        Assert.Equal(CaseRandom.Normal("x", 3).Select(v => 2 * v), kept.Value.ToArray());
    }

    [Fact]
    public void TheBackwardIsThatOfAComputationWithoutScopes()
    {
        using var first = new Linear(new Initializer(_device, 1), 8, 16);
        using var norm = new LayerNorm(new Initializer(_device, 2), 16);
        (float[] Dx, float[] Dw) Run(bool scopes)
        {
            using var tape = new Tape(_device, recording: true, seed: 3);
            var x = tape.Input(Values("x", 4, 8));
            Variable Block()
            {
                if (!scopes)
                {
                    return norm.Forward(tape, tape.Dropout(first.Forward(tape, x, Activation.QuickGelu), 0.2f));
                }

                using var scope = tape.BeginScope();
                return scope.Keep(norm.Forward(tape, tape.Dropout(first.Forward(tape, x, Activation.QuickGelu), 0.2f)));
            }

            using var upstream = Values("up", 4, 16);
            tape.Backward(Block(), upstream);
            float[] gradient = first.Weight.Gradient!.ToArray();
            first.Weight.ClearGradient();
            return (x.Gradient!.ToArray(), gradient);
        }

        var (dx, dw) = Run(false);
        var (dxOfScopes, dwOfScopes) = Run(true);
        Assert.Equal(dx, dxOfScopes);
        Assert.Equal(dw, dwOfScopes);
    }

    // A reshaped or computed weight has no other owner than the scope.
    [Fact]
    public void WeightsMadeInAScopeReachTheBackward()
    {
        var report = new GradientChecker(_device).Check(
            (tape, v) =>
            {
                using var scope = tape.BeginScope();
                var y = tape.Linear(v[0], tape.Scale(v[1], 2), null);
                return scope.Keep(tape.LayerNorm(y, tape.Scale(v[2], 3), tape.Scale(v[2], 1), 1e-5f));
            },
            ("x", Values("x", 4, 6)), ("w", Values("w", 5, 6)), ("g", Values("g", 5)));
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void ReplaceHoldsOneValueOfALoop()
    {
        using var tape = new Tape(_device, recording: false);
        var x = tape.Constant(Values("x", 64));
        long before = _device.Pool.LiveBlocks;
        for (int i = 0; i < 100; i++)
        {
            x = tape.Replace(x, tape.Scale(x, 0.99f));
            Assert.Equal(before, _device.Pool.LiveBlocks);
            Assert.Equal(1, tape.LiveVariables);
        }
    }

    [Fact]
    public void AnExceptionEndsAllScopesAndLeaksNothing()
    {
        using var model = new Linear(new Initializer(_device, 1), 8, 8);
        using var tape = new Tape(_device, recording: true);
        var x = tape.Constant(Values("x", 4, 8));
        long before = _device.Pool.LiveBlocks;
        Assert.Throws<ArgumentException>(() =>
        {
            using var outer = tape.BeginScope();
            var y = tape.Scale(x, 2);
            outer.Keep(tape.Scale(y, 2));
            using var inner = tape.BeginScope();
            tape.Add(model.Forward(tape, inner.Keep(tape.Scale(y, 3))), tape.Constant(Values("b", 8, 4)));
        });
        Assert.Throws<ArgumentException>(() =>
        {
            using var outer = tape.BeginScope();
            var y = tape.Scale(x, 2);
            using var inner = tape.BeginScope();
            tape.Add(tape.Scale(y, 3), tape.Constant(Values("b", 8, 4)));
        });

        // One was kept before the first exception, and one operation keeps its input for its weight's gradient.
        Assert.Equal(before + 2, _device.Pool.LiveBlocks);
        Assert.Equal(2, tape.LiveVariables);
        tape.Dispose();
        Assert.Equal(2, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void ALongInferenceTapeHoldsNothingBetweenWindows()
    {
        using var model = new Linear(new Initializer(_device, 1), 8, 8);
        using var tape = new Tape(_device, recording: false);
        long before = _device.Pool.LiveBlocks;
        long allocated = 0;
        for (int window = 0; window < 200; window++)
        {
            if (window == 100)
            {
                allocated = _device.Pool.DeviceAllocations;
            }

            using var scope = tape.BeginScope();
            var y = model.Forward(tape, tape.Constant(Values("x", 4, 8)), Activation.Relu);
            Assert.Equal(2, tape.LiveVariables);
            y.Dispose();
            Assert.Equal(1, tape.LiveVariables);
            Assert.Equal(before + 1, _device.Pool.LiveBlocks);
        }

        Assert.Equal(before, _device.Pool.LiveBlocks);
        Assert.Equal(0, tape.LiveVariables);
        Assert.Equal(allocated, _device.Pool.DeviceAllocations);
    }

    [Fact]
    public void AScopeCostsNoMemory()
    {
        using var tape = new Tape(_device, recording: false);
        void Nest(int depth)
        {
            using var scope = tape.BeginScope();
            if (depth > 1)
            {
                Nest(depth - 1);
            }
        }

        Nest(5);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Nest(5);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public void AnInputOfAScopeGetsItsGradientAndTheTapeFreesIt()
    {
        using (var tape = new Tape(_device, recording: true))
        {
            Variable input;
            Variable Part()
            {
                using var scope = tape.BeginScope();
                input = tape.Input(Values("x", 4));
                return scope.Keep(tape.Scale(input, 2));
            }

            tape.Backward(Part());
            Assert.Equal(Enumerable.Repeat(2f, 4), input.Gradient!.ToArray());
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AScopeAroundTheBackwardFreesGradients()
    {
        using var tape = new Tape(_device, recording: true);
        using (tape.BeginScope())
        {
            tape.Backward(tape.Scale(tape.Input(Values("x", 4)), 2));
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void OnlyWhatTheScopeMadeIsKept()
    {
        using var parameter = new Parameter(Values("p", 2));
        using var tape = new Tape(_device, recording: false);
        using var other = new Tape(_device, recording: false);
        var outside = tape.Constant(Values("x", 2));
        Assert.Contains("belongs to another scope", Refused(outside), StringComparison.Ordinal);
        Assert.Contains("belongs to another tape", Refused(other.Constant(Values("y", 2))), StringComparison.Ordinal);
        Assert.Contains("[2] is a parameter", Refused(parameter), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() =>
        {
            using var scope = tape.BeginScope();
            scope.Keep(scope.Keep(tape.Scale(outside, 2)));
        });
        Assert.Throws<ObjectDisposedException>(() =>
        {
            using var scope = tape.BeginScope();
            var freed = tape.Scale(outside, 2);
            freed.Dispose();
            scope.Keep(freed);
        });

        string Refused(Variable variable) => Assert.Throws<ArgumentException>(() =>
        {
            using var scope = tape.BeginScope();
            scope.Keep(variable);
        }).Message;
    }

    [Fact]
    public void ScopesEndInReverseOrder()
    {
        using var tape = new Tape(_device, recording: false);
        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            using var outer = tape.BeginScope();
            using var inner = tape.BeginScope();
            outer.Dispose();
        });
        Assert.Contains("opened later is still open", error.Message, StringComparison.Ordinal);
        using var scope = tape.BeginScope();
        var kept = scope.Keep(tape.Constant(Values("x", 2)));
        Assert.Equal(2, kept.Value.ToArray().Length);
    }

    [Fact]
    public void AScopeThatHasEndedKeepsNothing()
    {
        using var tape = new Tape(_device, recording: false);
        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            var scope = tape.BeginScope();
            scope.Dispose();
            scope.Dispose();
            using var next = tape.BeginScope();
            scope.Keep(tape.Constant(Values("x", 2)));
        });
        Assert.Contains("has ended", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => default(TapeScope).Keep(tape.Constant(Values("x", 2))));
        default(TapeScope).Dispose();
    }

    [Fact]
    public void TheTapeEndsItsScopes()
    {
        var tape = new Tape(_device, recording: true);
        using var scope = tape.BeginScope();
        tape.Scale(tape.Input(Values("x", 2)), 2);
        tape.Dispose();
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void ASecondHandleSharesTheValueAndPassesTheGradient()
    {
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(Values("x", 2, 3));
        Variable y;
        using (tape.BeginScope())
        {
            long before = _device.Pool.LiveBlocks;
            y = tape.Share(x);
            Assert.NotSame(x, y);
            Assert.Same(x.Value.Storage, y.Value.Storage);
            Assert.Equal(before, _device.Pool.LiveBlocks);
        }

        Assert.Throws<ObjectDisposedException>(() => y.Value);
        using var upstream = Values("up", 2, 3);
        tape.Backward(tape.Scale(tape.Share(x), 3), upstream);
        Assert.Equal(upstream.ToArray().Select(v => 3 * v), x.Gradient!.ToArray());
        using var inference = new Tape(_device, recording: false);
        Assert.Empty(inference.Nodes);
        Assert.False(inference.Share(inference.Constant(Values("x", 2))).RequiresGradient);
    }

    public void Dispose() => _device.Dispose();

    private Tensor Values(string name, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return _device.FromHost(CaseRandom.Normal(name, (int)shape.Count), shape);
    }
}
