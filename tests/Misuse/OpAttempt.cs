using Ldvc.Autograd;
using Ldvc.Cases;
using Ldvc.Tensors;

namespace Ldvc.Tests.Misuse;

/// <summary>
/// Calls an operation with inputs that may be wrong, on a watched device, and says how it ended: with an error, or with values and gradients that are
/// all there. Either way nothing is written outside a tensor and nothing leaks.
/// </summary>
internal static class OpAttempt
{
    /// <summary>Runs forward and backward; the error if it is refused, null if it is right.</summary>
    /// <param name="c">The case whose inputs are drawn.</param>
    /// <param name="inputs">Makes the inputs of the case's inputs.</param>
    /// <param name="call">The call; the case's own when absent.</param>
    internal static Exception? Run(OpCase c, Func<Tape, Tensor[], Variable[]> inputs, Func<Tape, Variable[], Variable>? call = null)
    {
        using var device = WatchedDevice.Open();
        Tensor[] tensors = [.. c.Draw().Select((values, i) => device.FromHost(values, c.Inputs[i].Shape))];
        Exception? error = null;
        Variable[] variables = [];
        using (var tape = new Tape(device, recording: true, c.Seed))
        {
            try
            {
                variables = inputs(tape, tensors);
                var output = (call ?? c.Run)(tape, variables);
                error = Complete(tape, output, variables, c);
            }
            catch (Exception e) when (e is not IncompleteException)
            {
                error = e;
            }
        }

        foreach (var variable in variables)
        {
            (variable as Parameter)?.Dispose();
        }

        foreach (var tensor in tensors)
        {
            tensor.Dispose();
        }

        if (device.Pool.LiveBlocks != 0)
        {
            throw new IncompleteException($"{c.Name}: {device.Pool.LiveBlocks} blocks leaked after {error?.Message ?? "a call that was taken"}");
        }

        return error;
    }

    /// <summary>The tensors as inputs with a gradient.</summary>
    internal static Variable[] Plain(Tape tape, Tensor[] tensors) => [.. tensors.Select(t => tape.Input(t.Share()))];

    // Blocks start as NaN: what no kernel wrote is seen.
    private static Exception? Complete(Tape tape, Variable output, Variable[] inputs, OpCase c)
    {
        if (output.Value.DType != DType.Float32)
        {
            return null;
        }

        Whole(output.Value, "the output", c);
        if (!output.RequiresGradient)
        {
            return null;
        }

        tape.Backward(output);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i]?.Gradient is { } gradient)
            {
                Whole(gradient, $"the gradient of {c.Inputs[i].Name}", c);
            }
        }

        return null;
    }

    private static void Whole(Tensor tensor, string what, OpCase c)
    {
        if (tensor.ToArray().Any(float.IsNaN))
        {
            throw new IncompleteException($"{c.Name}: {what} {tensor.Shape} holds values that nobody computed");
        }
    }

    /// <summary>A wrong call was taken and gave nonsense.</summary>
    internal sealed class IncompleteException(string message) : Exception(message);
}
