using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Cases;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Autograd;

/// <summary>What a tape cannot do is an error that says so, and leaks nothing.</summary>
public sealed class TapeMisuseTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Fact]
    public void ATapeNeedsADevice() => Assert.Throws<ArgumentNullException>(() => new Tape(null!, recording: true));

    [Fact]
    public void ASecondBackwardIsRefused()
    {
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(Values("x", 3));
        var y = tape.Scale(x, 2);
        tape.Backward(y);
        float[] once = x.Gradient!.ToArray();
        Assert.Contains("has run backward already", Assert.Throws<InvalidOperationException>(() => tape.Backward(y)).Message);
        Assert.Throws<InvalidOperationException>(() => tape.Backward(tape.Scale(x, 3)));
        Assert.Equal(once, x.Gradient!.ToArray());
    }

    [Fact]
    public void BackwardSaysWhyItCannotRun()
    {
        using var inference = new Tape(_device, recording: false);
        var y = inference.Scale(inference.Input(Values("x", 3)), 2);
        Assert.Contains("recording: false", Assert.Throws<InvalidOperationException>(() => inference.Backward(y)).Message);

        using var tape = new Tape(_device, recording: true);
        var constant = tape.Scale(tape.Constant(Values("x", 3)), 2);
        Assert.Contains("depends on nothing that is trained", Assert.Throws<InvalidOperationException>(() => tape.Backward(constant)).Message);
        Assert.Throws<ArgumentNullException>(() => tape.Backward(null!));
        using var parameter = new Parameter(Values("p", 2));
        Assert.Contains("[2] is a parameter", Assert.Throws<ArgumentException>(() => tape.Backward(parameter)).Message);

        using var other = new Tape(_device, recording: true);
        var foreign = other.Scale(other.Input(Values("x", 3)), 2);
        Assert.Contains("backward: a variable [3] belongs to another tape", Assert.Throws<ArgumentException>(() => tape.Backward(foreign)).Message);
        var freed = tape.Scale(tape.Input(Values("x", 3)), 2);
        freed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tape.Backward(freed));
    }

    [Fact]
    public void TheGradientMustFit()
    {
        using var elsewhere = new CpuDevice(1);
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(Values("x", 2, 3));
        var y = tape.Scale(x, 2);
        using var integers = _device.Empty(new Shape(2, 3), DType.Int32);
        using var transposed = Values("g", 3, 2);
        using var far = elsewhere.FromHost(new float[6], new Shape(2, 3));
        foreach (var gradient in new[] { integers, transposed, far })
        {
            string message = Assert.Throws<ArgumentException>(() => tape.Backward(y, gradient)).Message;
            Assert.Contains($"the gradient is {gradient}, expected Float32 [2, 3] on", message);
        }

        var released = Values("g", 2, 3);
        released.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tape.Backward(y, released));

        // A refused gradient is not a backward.
        using var right = Values("g", 2, 3);
        tape.Backward(y, right);
        Assert.Equal(right.ToArray().Select(v => 2 * v), x.Gradient!.ToArray());
    }

    [Fact]
    public void AnotherTapesVariableIsRefusedByNameOfTheOperation()
    {
        using var parameter = new Parameter(Values("p", 3));
        using var tape = new Tape(_device, recording: true);
        using var other = new Tape(_device, recording: false);
        Variable own = tape.Input(Values("x", 3)), foreign = other.Constant(Values("y", 3));
        long before = _device.Pool.LiveBlocks;
        foreach (var act in new Func<Variable>[] { () => tape.Add(own, foreign), () => tape.Add(foreign, own), () => tape.Share(foreign) })
        {
            string message = Assert.Throws<ArgumentException>(act).Message;
            Assert.Matches("(add|Another.*): a variable \\[3\\] belongs to another tape", message);
        }

        Assert.Equal(before, _device.Pool.LiveBlocks);
        Assert.Empty(tape.Nodes);
        Assert.Equal(3, tape.Add(own, parameter).Value.Count);
        Assert.Equal(3, other.Add(foreign, parameter).Value.Count);
    }

    [Fact]
    public void AFreedVariableIsRefused()
    {
        using var tape = new Tape(_device, recording: true);
        Variable x = tape.Input(Values("x", 3)), freed = tape.Scale(x, 2);
        freed.Dispose();
        freed.Dispose();
        Assert.Contains("[3] is used after it was freed", Assert.Throws<ObjectDisposedException>(() => freed.Value).Message);
        Assert.Equal(new Shape(3), freed.Shape);
        Assert.Throws<ObjectDisposedException>(() => tape.Share(freed));
        Assert.Throws<ObjectDisposedException>(() => tape.Require("mine", x, null, freed));
        Assert.Throws<ArgumentException>(() => tape.Replace(x, x));
        Assert.Equal("old", Assert.Throws<ArgumentNullException>(() => tape.Replace(null!, x)).ParamName);
        Assert.Equal("now", Assert.Throws<ArgumentNullException>(() => tape.Replace(x, null!)).ParamName);
        Assert.Equal(3, x.Value.Count);
        using var other = new Tape(_device, recording: true);
        Assert.Throws<ArgumentException>(() => other.Replace(x, other.Input(Values("y", 3))));
    }

    [Fact]
    public void ADisposedTapeIsRefused()
    {
        var tape = new Tape(_device, recording: true);
        var y = tape.Scale(tape.Input(Values("x", 3)), 2);
        tape.Dispose();
        tape.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tape.Backward(y));
        Assert.Throws<ObjectDisposedException>(() => tape.Constant(Values("x", 3)));
        Assert.Throws<ObjectDisposedException>(() => tape.Input(Values("x", 3)));
        Assert.Throws<ObjectDisposedException>(() => tape.Share(y));
        Assert.Throws<ObjectDisposedException>(() => { tape.BeginScope(); });
        using var parameter = new Parameter(Values("p", 3));
        Assert.Contains("the tape was disposed of", Assert.Throws<ObjectDisposedException>(() => tape.Scale(parameter, 2)).Message);
        parameter.Dispose();
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void InputsMustLiveOnTheTapesDeviceAndHaveAGradient()
    {
        using var elsewhere = new CpuDevice(1);
        using (var tape = new Tape(_device, recording: true))
        {
            var foreign = elsewhere.FromHost(new float[2], new Shape(2));
            Assert.Contains("constant: Float32 [2] on", Assert.Throws<ArgumentException>(() => tape.Constant(foreign)).Message);
            Assert.Contains("input: Int32 [2]", Assert.Throws<ArgumentException>(() => tape.Input(_device.Empty(new Shape(2), DType.Int32))).Message);
            string said = Assert.Throws<ArgumentException>(() => tape.Input(_device.Empty(new Shape(2), DType.Float64))).Message;
            Assert.Contains("input: Float64 [2] on cpu has no gradient, expected Float32, BFloat16 or Float16", said);
            Assert.Throws<ArgumentNullException>(() => tape.Constant(null!));
            var released = Values("x", 2);
            released.Dispose();
            Assert.Throws<ObjectDisposedException>(() => tape.Constant(released));
            Assert.Equal(DType.Int32, tape.Constant(_device.Empty(new Shape(2), DType.Int32)).Value.DType);
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
        Assert.Equal(0, elsewhere.Pool.LiveBlocks);
    }

    [Theory]
    [InlineData(DType.Int32)]
    [InlineData(DType.UInt8)]
    [InlineData(DType.Bool)]
    [InlineData(DType.Float64)]
    public void AParameterIsOfFloats(DType type)
    {
        var integers = _device.Zeros(new Shape(2), type);
        string said = Assert.Throws<ArgumentException>(() => new Parameter(integers, trainable: false)).Message;
        Assert.StartsWith($"parameter: expected Float32, BFloat16 or Float16, got {type} [2]", said, StringComparison.Ordinal);
        Assert.True(integers.IsDisposed);
        using var half = new Parameter(_device.Zeros(new Shape(2), DType.BFloat16), trainable: false);
        Assert.Equal(DType.BFloat16, half.Value.DType);
    }

    // Gradients of what was read with values that came later are those of no computation.
    [Fact]
    public void WhatIsOverwrittenBeforeItsBackwardIsRefused()
    {
        using var folder = new TempFolder();
        var init = new Initializer(_device, 1);
        using Linear layer = new(init, 3, 3), other = new(init, 3, 3);
        using var norm = new LayerNorm(init, 3);
        using var optimizer = new AdamW(layer.Parameters().Concat(norm.Parameters("norm.")), 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        using Tensor data = Values("data", 2, 3), more = Values("more", 2, 3);
        layer.Save(folder.File("layer.safetensors"));
        Variable Wanted(Tape tape) => tape.Input(data.Share());
        void ClearRow()
        {
            using var row = data.Slice(1, 1);
            row.Clear();
        }

        void Step()
        {
            using var tape = new Tape(_device, recording: true);
            tape.Backward(norm.Forward(tape, layer.Forward(tape, tape.Constant(more.Share()))));
            optimizer.Step(0.1f);
        }

        (string Name, Func<Tape, Variable> Compute, Action Overwrite)[] cases =
        [
            ("LinearOp", tape => layer.Forward(tape, Wanted(tape)), () => data.CopyFromHost(new float[6])),
            ("LinearOp", tape => layer.Forward(tape, Wanted(tape)), () => data.CopyFrom(more)),
            ("LinearOp", tape => layer.Forward(tape, Wanted(tape)), data.Clear),
            ("LinearOp", tape => layer.Forward(tape, Wanted(tape)), ClearRow),
            ("LinearOp", tape => layer.Forward(tape, Wanted(tape)), () => layer.Load(folder.File("layer.safetensors"))),
            ("LinearOp", tape => layer.Forward(tape, Wanted(tape)), Step),
            ("LinearOp", tape => layer.Forward(tape, other.Forward(tape, Wanted(tape))), Step),
            ("LayerNormOp", tape => norm.Forward(tape, Wanted(tape)), Step),
            ("Square", tape => tape.Exp(tape.Square(Wanted(tape))), data.Clear),
            ("gated_softsign", tape => tape.Apply(new OutsideOperation(), Wanted(tape), tape.Constant(Values("gate", 3))), data.Clear),
        ];
        foreach (var (name, compute, overwrite) in cases)
        {
            using var tape = new Tape(_device, recording: true);
            using var loss = tape.Sum(compute(tape));
            overwrite();
            string message = Assert.Throws<InvalidOperationException>(() => tape.Backward(loss)).Message;
            Assert.Matches($@"^backward: {name}: expected the value \[[\d, ]+\] as the forward read it, but it was overwritten since", message);
            foreach (var (_, parameter) in layer.Parameters())
            {
                parameter.ClearGradient();
            }
        }

        // Before the forward, behind the backward, and where the backward needs no value, writing is what it was.
        for (int i = 0; i < 2; i++)
        {
            using var tape = new Tape(_device, recording: true);
            data.CopyFromHost([1, 2, 3, 4, 5, 6f]);
            var x = Wanted(tape);
            using var loss = tape.Sum(tape.Add(layer.Forward(tape, tape.Constant(more.Share())), tape.Scale(x, 3)));
            data.Clear();
            tape.Backward(loss);
            Assert.All(x.Gradient!.ToArray(), value => Assert.Equal(3, value));
            optimizer.Step(0.1f);
        }
    }

    /// <summary>As PyTorch has it: a critic that is frozen while a generator's loss is recorded gets no gradient of it, thawed or not.</summary>
    [Theory]
    [InlineData("linear")]
    [InlineData("linear of it")]
    [InlineData("bias")]
    [InlineData("matmul")]
    [InlineData("multiply")]
    [InlineData("add")]
    [InlineData("layer norm")]
    [InlineData("attention")]
    [InlineData("residual")]
    [InlineData("concat")]
    [InlineData("nothing to drop")]
    [InlineData("custom")]
    public void WhetherAParameterGetsAGradientIsDecidedByTheForward(string operation)
    {
        float[] Gradient(bool atForward, bool atBackward)
        {
            using var parameter = new Parameter(Values("p", 2, 2), atForward);
            using var tape = new Tape(_device, recording: true);
            var x = tape.Input(Values("x", 2, 2));
            var y = operation switch
            {
                "linear" => tape.Linear(x, parameter, null),
                "linear of it" => tape.Linear(parameter, x, null),
                "bias" => tape.Linear(x, x, tape.Reshape(tape.Slice(parameter, 0, 0, 1), 2)),
                "matmul" => tape.MatMul(x, parameter),
                "multiply" => x * parameter,
                "add" => x + parameter,
                "layer norm" => tape.LayerNorm(parameter, tape.Reshape(tape.Slice(x, 0, 0, 1), 2), tape.Reshape(tape.Slice(x, 0, 1, 1), 2), 1e-5f),
                "attention" => tape.Attention(tape.Reshape(parameter, 1, 2, 2), tape.Reshape(x, 1, 2, 2), tape.Reshape(parameter, 1, 2, 2), 1, 0),
                "residual" => tape.Linear(x, x, null, residual: parameter),
                "concat" => tape.Concat([x, parameter], 0),
                "nothing to drop" => tape.Dropout(parameter, 0) * x,
                _ => tape.Apply(new ScaleRows(), parameter, tape.Reshape(tape.Slice(x, 0, 0, 1), 2)),
            };
            parameter.Trainable = atBackward;
            tape.Backward(tape.Sum(tape.Square(y)));
            Assert.Equal(atBackward, parameter.Trainable);
            Assert.NotNull(x.Gradient);
            return parameter.Gradient?.ToArray() ?? [];
        }

        float[] trained = Gradient(true, true);
        Assert.Equal(4, trained.Length);
        Assert.Equal(trained, Gradient(true, false));
        Assert.Empty(Gradient(false, true));
        Assert.Empty(Gradient(false, false));
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AParameterThatIsFrozenForOneOfTwoOperationsGetsTheGradientOfTheOther(bool atBackward)
    {
        using var parameter = new Parameter(Values("p", 3));
        using var tape = new Tape(_device, recording: true);
        var x = tape.Input(Values("x", 3));
        parameter.Trainable = false;
        var frozen = tape.Sum(x * parameter + parameter);
        parameter.Trainable = true;
        var trained = tape.Sum(x * parameter);
        parameter.Trainable = atBackward;
        tape.Backward(frozen + trained);
        Assert.Equal(atBackward, parameter.Trainable);
        Assert.Equal(x.Value.ToArray(), parameter.Gradient!.ToArray());
    }

    [Fact]
    public void ABackwardThatFailsLeavesParametersAsFrozenAsTheyWere()
    {
        using var parameter = new Parameter(Values("p", 2, 2));
        using var tape = new Tape(_device, recording: true);
        var x = tape.Constant(Values("x", 2, 2));
        var y = tape.Linear(x, parameter, null);
        parameter.Trainable = false;
        x.Value.Clear();
        Assert.Throws<InvalidOperationException>(() => tape.Backward(y));
        Assert.False(parameter.Trainable);
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("add")]
    [InlineData("custom")]
    public void AModuleThatEndsBeforeTheBackwardIsAnErrorThatLeaksNothing(string operation)
    {
        using (var tape = new Tape(_device, recording: true))
        {
            var parameter = new Parameter(Values("p", 2, 2));
            var x = tape.Constant(Values("x", 2, 2));
            var y = operation switch
            {
                "linear" => tape.Linear(x, parameter, null),
                "add" => x + parameter,
                _ => tape.Apply(new ScaleRows(), parameter, tape.Reshape(tape.Slice(x, 0, 0, 1), 2)),
            };
            parameter.Dispose();
            string message = Assert.Throws<ObjectDisposedException>(() => tape.Backward(y)).Message;
            Assert.Contains("backward: a parameter [2, 2] is used after it, or the module that holds it, was disposed of", message);
            Assert.Contains("square: a parameter [2, 2]", Assert.Throws<ObjectDisposedException>(() => tape.Square(parameter)).Message);
        }

        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void AVariableKnowsItsTape()
    {
        using var model = new Linear(new Initializer(_device, 1), 3, 2);
        using var tape = new Tape(_device, recording: false);
        var y = model.Forward(tape, tape.Constant(Values("x", 1, 3)));
        Assert.Same(tape, y.Tape);
        Assert.Null(model.Weight.Tape);
    }

    public void Dispose() => _device.Dispose();

    private Tensor Values(string name, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return _device.FromHost(CaseRandom.Normal(name, (int)shape.Count), shape);
    }
}
