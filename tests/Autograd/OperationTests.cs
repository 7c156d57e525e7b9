using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Cases;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>The seam through which somebody outside adds an operation.</summary>
public sealed class OperationTests : IDisposable
{
    private readonly CpuDevice _device = new(2);

    [Theory]
    [InlineData(3, 5)]
    [InlineData(1, 1)]
    [InlineData(700, 3)]
    public void GradientsAreRight(int rows, int columns)
    {
        using Tensor a = Values("a", rows, columns), b = Values("b", columns);
        var checker = new GradientChecker(_device) { MaxElements = 40, Step = 0.02 };
        var report = checker.Check((tape, v) => tape.Apply(new OutsideOperation(), v[0], v[1]), ("a", a), ("b", b));
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(2, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AMistakeInTheBackwardIsFound()
    {
        using Tensor a = Values("a", 3, 2), b = Values("b", 2);
        var wrong = new OutsideOperation { Mistake = 0.1f };
        var report = new GradientChecker(_device) { Step = 0.02 }.Check((tape, v) => tape.Apply(wrong, v[0], v[1]), ("a", a), ("b", b));
        Assert.Equal((false, "a", 0L), (report.Passed, report.Input, report.Index));
    }

    [Fact]
    public void GradientsAddUpWhereAVariableIsUsedTwice()
    {
        float[] Gradient(Func<Tape, Variable, Variable, Variable> function)
        {
            using var tape = new Tape(_device, recording: true);
            Variable a = tape.Input(Values("a", 4, 4)), b = tape.Input(Values("b", 4));
            tape.Backward(function(tape, a, b));
            return a.Gradient!.ToArray();
        }

        float[] once = Gradient((tape, a, b) => tape.Apply(new OutsideOperation(), a, b));
        float[] thrice = Gradient((tape, a, b) =>
        {
            var sum = tape.Add(tape.Apply(new OutsideOperation(), a, b), tape.Apply(new OutsideOperation(), a, b));
            return tape.Add(sum, a);
        });
        Assert.All(once.Zip(thrice), p => Assert.Equal((2 * p.First) + 1, p.Second, 1e-6f));
    }

    [Fact]
    public void ValuesOutliveTheCallersHandlesAndNothingLeaks()
    {
        using (var tape = new Tape(_device, recording: true))
        {
            Variable a = tape.Input(Values("a", 4, 2)), b = tape.Input(Values("b", 2));
            var y = tape.Apply(new OutsideOperation(), a, b);
            a.Dispose();
            tape.Backward(y);
            Assert.NotNull(a.Gradient);
        }

        using (var tape = new Tape(_device, recording: false))
        {
            Variable a = tape.Input(Values("a", 4, 2)), b = tape.Input(Values("b", 2));
            Assert.False(tape.Apply(new OutsideOperation(), a, b).RequiresGradient);
            Assert.Equal(3, _device.Pool.LiveBlocks);
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AFrozenInputGetsNoBufferAndOneInPanelsIsRead()
    {
        using var tape = new Tape(_device, recording: true);
        using var frozen = new Parameter(Values("w", 32, 3), trainable: false);
        Variable b = tape.Input(Values("b", 3)), x = tape.Constant(Values("x", 2, 3));
        using var plain = new Parameter(Values("w", 32, 3));
        float[] before = tape.Apply(new OutsideOperation(), plain, b).Value.ToArray();
        tape.Linear(x, frozen, null);
        Assert.True(frozen.Value.InPanels);
        var y = tape.Apply(new OutsideOperation(), frozen, b);
        Assert.Equal(before, y.Value.ToArray());
        tape.Backward(y);
        Assert.Null(frozen.Gradient);
        Assert.NotNull(b.Gradient);
    }

    [Fact]
    public void WrongCallsSayWhatIsWrong()
    {
        using var tape = new Tape(_device, recording: true);
        using var other = new CpuDevice(1);
        Variable a = tape.Input(Values("a", 4, 2)), b = tape.Input(Values("b", 3)), ids = tape.Constant(_device.FromHost([1, 2], new Shape(2)));
        Assert.Equal(
            "gated_softsign: expected a [rows, columns] and b [columns] (inputs [4, 2], [3])",
            Assert.Throws<ArgumentException>(() => tape.Apply(new OutsideOperation(), a, b)).Message);
        Assert.Contains(
            "gated_softsign: expected input 1 of type Float32, got Int32 [2] on cpu",
            Assert.Throws<ArgumentException>(() => tape.Apply(new OutsideOperation(), a, ids)).Message);
        using var elsewhere = new Parameter(other.Zeros(new Shape(2)));
        Assert.Contains(
            "expected input 1 on the tape's device",
            Assert.Throws<ArgumentException>(() => tape.Apply(new OutsideOperation(), a, elsewhere)).Message);
        Assert.Equal(
            "nothing: the operation has no forward for device cpu; expected an override of Forward(CpuDevice, ...) in Nothing",
            Assert.Throws<NotSupportedException>(() => tape.Apply(new Nothing(), a)).Message);
        var y = tape.Apply(new OutsideOperation { HoldsBack = true }, a, tape.Input(Values("b", 2)));
        Assert.Contains("input 0 was not saved", Assert.Throws<InvalidOperationException>(() => tape.Backward(y)).Message);
    }

    // At inference the output and the inputs would be freed at once.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnlyWhatTheForwardMadeIsKept(bool recording)
    {
        using var tape = new Tape(_device, recording);
        var a = tape.Input(Values("a", 4));
        Assert.Contains("got the output; SavesOutput", Assert.Throws<ArgumentException>(() => tape.Apply(new Hoarder(output: true), a)).Message);
        Assert.Contains("got an input; SavesInput", Assert.Throws<ArgumentException>(() => tape.Apply(new Hoarder(output: false), a)).Message);
        Assert.Equal(1, _device.Pool.LiveBlocks);
        Assert.Equal(4, a.Value.ToArray().Length);
    }

    [Fact]
    public void AForwardThatThrowsLeaksNothing()
    {
        using (var tape = new Tape(_device, recording: true))
        {
            var a = tape.Input(Values("a", 4, 2));
            long before = _device.Pool.LiveBlocks;
            Assert.Throws<NotSupportedException>(() => tape.Apply(new Nothing(), a));
            Assert.Equal(before, _device.Pool.LiveBlocks);
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    // What an operation does to tensors that are not its own would show elsewhere, as wrong numbers or under another name.
    [Theory]
    [InlineData("output disposed of", "careless: the forward disposed of its output [4]")]
    [InlineData("input disposed of", "careless: expected input 0 [4] to be read only, but it was disposed of")]
    [InlineData("input overwritten", "careless: expected input 0 [4] to be read only, but it was overwritten")]
    [InlineData("kept disposed of", "careless: keep: tensor [3] was disposed of")]
    [InlineData("kept under using", "careless: keep: tensor [3] was disposed of")]
    [InlineData("kept later", "careless: keep: the forward has ended")]
    [InlineData("gradient disposed of", "careless: the gradient of input 0 [4] was disposed of")]
    [InlineData("output's gradient overwritten", "careless: expected the output's gradient [4] to be read only, but it was overwritten")]
    [InlineData("output's gradient disposed of", "careless: expected the output's gradient [4] to be read only, but it was disposed of")]
    [InlineData("saved input overwritten", "careless: expected input 0 [4] to be read only, but it was overwritten")]
    [InlineData("saved output overwritten", "careless: expected the output [4] to be read only, but it was overwritten")]
    [InlineData("input 1", "careless: the backward asks for input 1, expected 0 to 0 (the call had 1)")]
    [InlineData("gradient 1", "careless: the backward asks for input 1")]
    [InlineData("needs 1", "careless: the backward asks for input 1")]
    [InlineData("shape of input 1", "careless: OutputShape asks for an input that is not there, got 1 ([4])")]
    public void WhatIsNotItsOwnIsLeftAlone(string what, string said)
    {
        using (var tape = new Tape(_device, recording: true))
        {
            var a = tape.Input(Values("a", 4));
            var error = Record.Exception(() => tape.Backward(tape.Apply(new Careless(what), a)));
            Assert.True(error is ArgumentException or InvalidOperationException, $"{error}");
            Assert.StartsWith(said, error.Message, StringComparison.Ordinal);
            Assert.Equal(4, tape.Exp(a).Value.ToArray().Length);
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    // A parameter that a backward spoils would train on from there.
    [Fact]
    public void ABackwardMayDisposeOfItsHandlesButNotWriteToAParameter()
    {
        using (var parameter = new Parameter(Values("p", 4)))
        {
            using (var tape = new Tape(_device, recording: true))
            {
                tape.Backward(tape.Apply(new Careless("saved input disposed of"), parameter));
            }

            parameter.ClearGradient();
            using (var tape = new Tape(_device, recording: true))
            {
                var y = tape.Apply(new Careless("saved input overwritten"), parameter);
                Assert.Throws<InvalidOperationException>(() => tape.Backward(y));
            }
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void WhatABackwardRecordsOnItsTapeIsFreedWithTheTape()
    {
        using (var tape = new Tape(_device, recording: true))
        {
            var a = tape.Input(Values("a", 4));
            tape.Backward(tape.Apply(new Meddling(() => { }, () => tape.Exp(a)), a));
            Assert.NotNull(a.Gradient);
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AForwardThatEndsItsTapeIsRefusedByNameAndLeaksNothing()
    {
        var tape = new Tape(_device, recording: true);
        var a = tape.Input(Values("a", 4));
        var error = Assert.Throws<ObjectDisposedException>(() => tape.Apply(new Meddling(tape.Dispose, () => { }), a));
        Assert.StartsWith("meddling: the tape was disposed of", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(1000, 1)]
    [InlineData(100_000, 4096)]
    public void ParallelForRunsEveryItemOnce(int count, int grain)
    {
        var seen = new int[count];
        _device.ParallelFor(
            count,
            (first, end) =>
            {
                for (int i = first; i < end; i++)
                {
                    Interlocked.Increment(ref seen[i]);
                }
            },
            grain);
        Assert.All(seen, n => Assert.Equal(1, n));
    }

    // One piece, many, a caller without a team, and one inside another.
    [Theory]
    [InlineData(1, 2)]
    [InlineData(100, 2)]
    [InlineData(100, 1)]
    public void ParallelForPassesExceptionsOn(int count, int threads)
    {
        using var device = new CpuDevice(threads);
        void Fails() => device.ParallelFor(count, (first, _) => throw new ArithmeticException($"piece {first}"));
        Assert.IsType<ArithmeticException>(Assert.Throws<InvalidOperationException>(Fails).InnerException);
        var outer = Assert.Throws<InvalidOperationException>(() => device.ParallelFor(3, (_, _) => Fails()));
        Assert.IsType<ArithmeticException>(Assert.IsType<InvalidOperationException>(outer.InnerException).InnerException);
        Assert.Throws<ArgumentOutOfRangeException>(() => _device.ParallelFor(-1, (_, _) => { }));
    }

    [Fact]
    public void SpansAreOfTheElementsType()
    {
        using var ints = _device.FromHost([1, 2, 3], new Shape(3));
        ints.AsSpan<int>()[1] = 7;
        using var tail = ints.Slice(1, 2);
        Assert.Equal([7, 3], tail.AsSpan<int>());
        Assert.Equal(
            "as span: a tensor of Int32 cannot be read as Single, got Int32 [3] on cpu",
            Assert.Throws<InvalidOperationException>(() => ints.AsSpan<float>()[0]).Message);
        Assert.Contains("expected a tensor on a GPU", Assert.Throws<InvalidOperationException>(() => ints.AsGpuView<int>()).Message);
        var gone = _device.Zeros(new Shape(2));
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => gone.AsSpan<float>()[0]);
    }

    public void Dispose() => _device.Dispose();

    private Tensor Values(string name, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return _device.FromHost(CaseRandom.Normal(name, (int)shape.Count), shape);
    }

    private sealed class Nothing : Operation
    {
        public override string Name => "nothing";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];
    }

    private sealed class Hoarder(bool output) : Operation
    {
        public override string Name => "hoarder";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        public override void Forward(CpuDevice device, OperationForward call) => call.Keep(output ? call.Output : call.Inputs[0]);
    }

    private sealed class Meddling(Action forward, Action backward) : Operation
    {
        public override string Name => "meddling";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        public override void Forward(CpuDevice device, OperationForward call)
        {
            call.Output.CopyFrom(call.Inputs[0]);
            call.Keep(call.Inputs[0].Clone());
            forward();
        }

        public override void Backward(CpuDevice device, OperationBackward call)
        {
            call.Gradient(0).CopyFrom(call.OutputGradient);
            backward();
        }
    }

    private sealed class Careless(string what) : Operation
    {
        private OperationForward? _call;

        public override string Name => "careless";

        public override bool SavesOutput => what == "saved output overwritten";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => what == "shape of input 1" ? inputs[1] : inputs[0];

        public override void Forward(CpuDevice device, OperationForward call)
        {
            _call = call;
            call.Output.CopyFrom(call.Inputs[0]);
            switch (what)
            {
                case "output disposed of": call.Output.Dispose(); break;
                case "input disposed of": call.Inputs[0].Dispose(); break;
                case "input overwritten": call.Inputs[0].Clear(); break;
                case "kept disposed of" or "kept under using":
                    using (var tensor = device.Zeros(new Shape(3)))
                    {
                        (what == "kept disposed of" ? (Action)tensor.Dispose : () => { })();
                        call.Keep(tensor);
                    }

                    break;
            }
        }

        public override void Backward(CpuDevice device, OperationBackward call)
        {
            call.Gradient(0).CopyFrom(call.OutputGradient);
            switch (what)
            {
                case "kept later": Late(device); break;
                case "gradient disposed of": call.Gradient(0).Dispose(); break;
                case "output's gradient overwritten": call.OutputGradient.Clear(); break;
                case "output's gradient disposed of": call.OutputGradient.Dispose(); break;
                case "saved input disposed of": call.Input(0).Dispose(); break;
                case "saved input overwritten": call.Input(0).Clear(); break;
                case "saved output overwritten": call.Output.CopyFrom(call.OutputGradient); break;
                case "input 1": call.Input(1); break;
                case "gradient 1": call.Gradient(1); break;
                case "needs 1": call.NeedsGradient(1); break;
            }
        }

        private void Late(Device device)
        {
            using var tensor = device.Zeros(new Shape(3));
            _call!.Keep(tensor);
        }
    }
}
