using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;

namespace Ldvc.Tests.Autograd;

/// <summary>The first model of docs/library.md; <see cref="LibraryPageTests"/> compares the lines.</summary>
internal static class FirstModel
{
    internal static void Run()
    {
        using var device = DeviceFactory.Open("cpu");
        var init = new Initializer(device, seed: 1);
        using var hidden = new Linear(init, 2, 16);
        using var output = new Linear(init, 16, 1);
        using var optimizer = new AdamW([.. hidden.Parameters("hidden."), .. output.Parameters("output.")]);

        // Exclusive or: four points and what to say to each.
        using var points = device.FromHost([0f, 0, 0, 1, 1, 0, 1, 1], new Shape(4, 2));
        using var answers = device.FromHost([0f, 1, 1, 0], new Shape(4, 1));
        for (int step = 0; step < 300; step++)
        {
            using var tape = new Tape(device, recording: true);
            var h = tape.Tanh(hidden.Forward(tape, tape.Constant(points.Share())));
            var error = output.Forward(tape, h) - tape.Constant(answers.Share());
            var loss = tape.Mean(error * error);
            tape.Backward(loss);
            optimizer.Step(learningRate: 0.02f);
        }

        using var inference = new Tape(device, recording: false);
        var x = inference.Constant(points.Share());
        output.Forward(inference, inference.Tanh(hidden.Forward(inference, x))).Print();
    }
}
