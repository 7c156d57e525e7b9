using Ldvc.Autograd;
using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>Which way a case is run; the default is forward and backward with all gradients.</summary>
internal readonly record struct OpRunOptions()
{
    /// <summary>The only input that has a gradient; -1 for all.</summary>
    internal int OnlyGradient { get; init; } = -1;

    /// <summary>Gradients that are there before the backward, one array an input; null for none.</summary>
    internal float[][]? Before { get; init; }
}

/// <summary>What a case computed on a device.</summary>
/// <param name="Output">The output's values.</param>
/// <param name="Gradients">The inputs' gradients, null where there is none.</param>
/// <param name="Recorded">Classes of the operations that the tape recorded.</param>
internal sealed record OpResult(float[] Output, float[]?[] Gradients, Type[] Recorded);

/// <summary>A case with its inputs on a device: uploaded once, run as often as wanted.</summary>
internal sealed class OpRun : IDisposable
{
    private readonly OpCase _case;
    private readonly Device _device;
    private readonly Tensor[] _inputs;
    private Tensor? _upstream;

    internal OpRun(OpCase c, Device device)
    {
        _case = c;
        _device = device;
        float[][] values = c.Draw();
        _inputs = [.. values.Select((v, i) => device.FromHost(v, c.Inputs[i].Shape))];
    }

    /// <summary>The forward alone, as at inference.</summary>
    internal void Forward()
    {
        using var tape = new Tape(_device, recording: false, _case.Seed);
        _case.Run(tape, Variables(tape, -1));
    }

    /// <summary>Forward and backward with all gradients.</summary>
    internal void ForwardBackward()
    {
        using var tape = new Tape(_device, recording: true, _case.Seed);
        var output = _case.Run(tape, Variables(tape, -1));
        if (_case.Differentiable)
        {
            tape.Backward(output, Upstream(output));
        }
    }

    /// <summary>The output without recording.</summary>
    internal float[] Infer()
    {
        using var tape = new Tape(_device, recording: false, _case.Seed);
        return _case.Run(tape, Variables(tape, -1)).Value.ToArray();
    }

    /// <summary>Runs both directions and brings everything to the host. Inputs and upstream gradient must come out unchanged.</summary>
    internal OpResult Run(OpRunOptions options)
    {
        using var tape = new Tape(_device, recording: true, _case.Seed);
        var inputs = Variables(tape, options.OnlyGradient);
        var output = _case.Run(tape, inputs);
        var before = new List<Tensor>();
        for (int i = 0; options.Before is not null && i < inputs.Length; i++)
        {
            if (inputs[i].RequiresGradient)
            {
                // The handle stays here: whoever adds to the gradient must copy it first.
                before.Add(_device.FromHost(options.Before[i], inputs[i].Shape));
                inputs[i].AddGradient(before[^1]);
            }
        }

        var recorded = tape.Nodes.Select(node => node.GetType().DeclaringType!).ToArray();
        float[] values = output.Value.ToArray();
        var upstream = Upstream(output);
        float[] sent = upstream.ToArray();
        if (_case.Differentiable)
        {
            tape.Backward(output, upstream);
        }
        else if (output.RequiresGradient)
        {
            throw new InvalidOperationException($"{_case.Name}: the output has a gradient");
        }

        float[]?[] gradients = [.. inputs.Select(input => input.Gradient?.ToArray())];
        for (int i = 0; i < before.Count; i++)
        {
            Unchanged(before[i], options.Before![options.OnlyGradient < 0 ? i : options.OnlyGradient], "a gradient shared with somebody else");
            before[i].Dispose();
        }

        Unchanged(upstream, sent, "the upstream gradient");
        float[][] drawn = _case.Draw();
        for (int i = 0; i < drawn.Length; i++)
        {
            Unchanged(_inputs[i], drawn[i], $"input {_case.Inputs[i].Name}");
        }

        return new OpResult(values, gradients, recorded);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var input in _inputs)
        {
            input.Dispose();
        }

        _upstream?.Dispose();
    }

    private Variable[] Variables(Tape tape, int only) =>
        [.. _inputs.Select((input, i) => only < 0 || only == i ? tape.Input(input.Share()) : tape.Constant(input.Share()))];

    private Tensor Upstream(Variable output) => _upstream ??= _device.FromHost(_case.Upstream((int)output.Value.Count), output.Shape);

    private void Unchanged(Tensor tensor, float[] expected, string what)
    {
        if (!tensor.ToArray().AsSpan().SequenceEqual(expected))
        {
            throw new InvalidOperationException($"{_case.Name}: {what} was changed");
        }
    }
}
