using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// Records the operations of one step and runs them backward. Operations are extension methods, one file each (Ops/). The tape owns every variable
/// made on it: disposing it frees whatever the caller has not freed earlier, so an abandoned step leaks nothing.
/// </summary>
public sealed class Tape : IDisposable
{
    private readonly List<Node> _nodes = [];
    private readonly List<Variable> _variables = [];
    private readonly CounterRandom _keys;
    private ulong _keysDrawn;

    /// <summary>Starts a tape.</summary>
    /// <param name="device">Where it computes.</param>
    /// <param name="recording">False for inference: nothing is kept for a backward, dropout does nothing.</param>
    /// <param name="seed">Seed of this step's dropout masks.</param>
    public Tape(Device device, bool recording, ulong seed = 0)
    {
        Device = device;
        Recording = recording;
        Kernels = KernelSet.For(device);
        _keys = new CounterRandom(seed, 0xD20);
    }

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>Whether a backward will follow.</summary>
    public bool Recording { get; }

    internal KernelSet Kernels { get; }

    /// <summary>What a backward would run, in order of recording.</summary>
    internal IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>An input: takes ownership of the tensor, no gradient.</summary>
    public Variable Constant(Tensor value) => Track(new Variable(value, false));

    /// <summary>An input whose gradient is wanted (gradient checks); takes ownership of the tensor.</summary>
    public Variable Input(Tensor value) => Track(new Variable(value, Recording));

    /// <summary>
    /// Runs everything backward from a variable, usually the loss of one element. Parameters' gradients stay; all others, and all saved values, are
    /// freed on the way.
    /// </summary>
    /// <param name="output">Where the gradient starts.</param>
    /// <param name="gradient">Its gradient; ones when absent.</param>
    public void Backward(Variable output, Tensor? gradient = null)
    {
        if (!Recording || !output.RequiresGradient)
        {
            throw new InvalidOperationException("backward: the tape did not record, or the output depends on nothing that is trained");
        }

        if (gradient is null)
        {
            var ones = new float[output.Value.Count];
            Array.Fill(ones, 1f);
            using var seed = Device.FromHost(ones, output.Shape);
            output.AddGradient(seed);
        }
        else
        {
            output.AddGradient(gradient);
        }

        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            var node = _nodes[i];
            if (node.Output.Gradient is { } dy)
            {
                using var range = Device.HasRanges ? Device.Range($"{node.GetType().DeclaringType?.Name} backward") : default;
                node.Backward(Kernels, dy);
                node.Output.ClearGradient();
            }

            node.Release();
        }

        _nodes.Clear();
    }

    /// <summary>Frees all that is left.</summary>
    public void Dispose()
    {
        foreach (var node in _nodes)
        {
            node.Release();
        }

        foreach (var variable in _variables)
        {
            variable.ClearGradient();
            variable.Dispose();
        }

        _nodes.Clear();
        _variables.Clear();
    }

    /// <summary>The result of an operation; it needs a gradient when the tape records and any input does.</summary>
    internal Variable Result(Tensor value, params ReadOnlySpan<Variable?> inputs)
    {
        bool needed = false;
        foreach (var input in inputs)
        {
            needed |= input is { RequiresGradient: true };
        }

        return Track(new Variable(value, Recording && needed));
    }

    internal void Record(Node node) => _nodes.Add(node);

    /// <summary>A key for the next dropout mask of this step.</summary>
    internal ulong NextDropoutKey()
    {
        var keys = _keys;
        keys.Counter = _keysDrawn++;
        return keys.NextBits();
    }

    private Variable Track(Variable variable)
    {
        _variables.Add(variable);
        return variable;
    }
}
