// A network of two layers learns z = sin(2x) y on [-1, 1]^2: dotnet run -- [--device cpu | opencl | cuda]
using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;

if (args is not ([] or ["--device", _]))
{
    Console.Error.WriteLine("usage: Mlp [--device cpu | opencl | cuda | simulator]");
    return 2;
}

string file = Path.Combine(Path.GetTempPath(), $"ldvc-mlp-{Environment.ProcessId}.safetensors");
try
{
    using var device = DeviceFactory.Open(args.Length == 0 ? "cpu" : args[1]);
    using var model = new Mlp(new Initializer(device, seed: 1), inputs: 2, hidden: 32, outputs: 1);
    using var optimizer = new AdamW(model.Parameters(), weightDecay: 0);

    var random = new CounterRandom(seed: 2);
    float[] points = new float[256 * 2], values = new float[256];
    for (int i = 0; i < values.Length; i++)
    {
        float x = (float)random.NextDouble(-1, 1), y = (float)random.NextDouble(-1, 1);
        (points[2 * i], points[(2 * i) + 1], values[i]) = (x, y, MathF.Sin(2 * x) * y);
    }

    float loss = float.NaN;
    for (int step = 0; step <= 400; step++)
    {
        // The tape owns what is computed on it: its end frees everything but the parameters.
        using var tape = new Tape(device, recording: true);
        var input = tape.Constant(device.FromHost(points, new Shape(256, 2)));
        var target = tape.Constant(device.FromHost(values, new Shape(256, 1)));
        var error = model.Forward(tape, input) - target;
        var meanSquare = tape.Mean(error * error);
        tape.Backward(meanSquare);
        optimizer.Step(learningRate: 0.01f);
        loss = meanSquare.Value.ToScalar();
        if (step % 100 == 0)
        {
            Console.WriteLine($"step {step,3}  mean squared error {loss:f6}");
        }
    }

    // Another model with other initial values gets the trained ones from a file, and says the same.
    model.Save(file);
    using var copy = new Mlp(new Initializer(device, seed: 3), inputs: 2, hidden: 32, outputs: 1);
    copy.Load(file);
    using var inference = new Tape(device, recording: false);
    var few = inference.Constant(device.FromHost(points.AsSpan(0, 8), new Shape(4, 2)));
    Variable ours = model.Forward(inference, few), theirs = copy.Forward(inference, few);
    few.Print();
    theirs.Print();
    bool same = ours.Value.ToArray().AsSpan().SequenceEqual(theirs.Value.ToArray());
    Console.WriteLine(same ? "the loaded model gives the same values" : "the loaded model gives other values");
    return same && loss < 2e-3 ? 0 : 1;
}
catch (InputException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
finally
{
    File.Delete(file);
}

/// <summary>tanh(x W1 + b1) W2 + b2.</summary>
internal sealed class Mlp : Module
{
    private readonly Parameter _weight1, _bias1, _weight2, _bias2;

    internal Mlp(Initializer init, int inputs, int hidden, int outputs)
    {
        _weight1 = Add("weight1", init.Normal(new Shape(inputs, hidden), 1 / Math.Sqrt(inputs)));
        _bias1 = Add("bias1", init.Constant(new Shape(hidden), 0));
        _weight2 = Add("weight2", init.Normal(new Shape(hidden, outputs), 1 / Math.Sqrt(hidden)));
        _bias2 = Add("bias2", init.Constant(new Shape(outputs), 0));
    }

    /// <summary>[rows, inputs] -> [rows, outputs]; the biases are broadcast over the rows.</summary>
    internal Variable Forward(Tape tape, Variable x)
    {
        var hidden = tape.Tanh(tape.MatMul(x, _weight1) + _bias1);
        return tape.MatMul(hidden, _weight2) + _bias2;
    }
}
