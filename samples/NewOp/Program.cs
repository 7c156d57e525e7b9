// An operation that the framework does not have, checked and used: dotnet run -- [--device cpu | opencl | cuda | simulator]
using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;
using NewOp;

if (args is not ([] or ["--device", _]))
{
    Console.Error.WriteLine("usage: NewOp [--device cpu | opencl | cuda | simulator]");
    return 2;
}

try
{
    using var device = DeviceFactory.Open(args.Length == 0 ? "cpu" : args[1]);
    var snake = new Snake(frequency: 1.5f);

    // Central differences of the forward against the backward, on this device.
    using var values = new Initializer(device, seed: 1).Normal(new Shape(5, 7), std: 1);
    var report = new GradientChecker(device).Check((tape, inputs) => tape.Apply(snake, inputs[0]), ("x", values.Value));
    Console.WriteLine($"{device.Name}: {report}");

    // One step of a layer with the new operation behind it.
    using var layer = new Linear(new Initializer(device, seed: 2), 7, 3);
    using var optimizer = new AdamW(layer.Parameters());
    float Loss(bool train)
    {
        using var tape = new Tape(device, recording: train);
        var y = tape.Apply(snake, layer.Forward(tape, tape.Constant(values.Value.Share())));
        var loss = tape.Mean((y - 1) * (y - 1));
        if (train)
        {
            tape.Backward(loss);
            optimizer.Step(learningRate: 0.02f);
        }

        return loss.Value.ToScalar();
    }

    float before = Loss(train: true), after = Loss(train: false);
    Console.WriteLine($"loss {before:f5} before a step, {after:f5} after it");
    return report.Passed && after < before ? 0 : 1;
}
catch (InputException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
