using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>One recorded operation: its output, what the backward needs of the forward, and the backward itself.</summary>
internal abstract class Node
{
    private Saved[] _saved = [];
    private int _count;

    protected Node(Variable output)
    {
        Output = output;
    }

    internal Variable Output { get; }

    /// <summary>What messages call the operation.</summary>
    internal virtual string Name => (GetType().DeclaringType ?? GetType()).Name;

    /// <summary>Adds to the inputs' gradients, given the output's. dy must not be changed.</summary>
    internal abstract void Backward(KernelSet kernels, Tensor dy);

    /// <summary>Refuses to go on with values that somebody has overwritten since the forward read them.</summary>
    /// <exception cref="InvalidOperationException">One was overwritten: its gradients would be those of no computation.</exception>
    internal void CheckSaved()
    {
        for (int i = 0; i < _count; i++)
        {
            Saved saved = _saved[i];
            if (saved.Tensor.Storage.Writes != saved.Writes && !saved.Tensor.IsDisposed)
            {
                throw new InvalidOperationException(
                    $"backward: {Name}: expected the value {saved.Tensor.Shape} as the forward read it, but it was overwritten since (CopyFromHost, "
                    + "CopyFrom, Clear, Load or a step of an optimizer); run the backward before that, or give the tape a Clone()");
            }
        }
    }

    /// <summary>Frees what was saved.</summary>
    internal void Release()
    {
        for (int i = 0; i < _count; i++)
        {
            if (_saved[i].Owned)
            {
                _saved[i].Tensor.Dispose();
            }
        }

        (_saved, _count) = ([], 0);
    }

    /// <summary>Keeps a value until the backward of this node has run, whatever happens to the caller's handle.</summary>
    protected Tensor Save(Tensor tensor) => Own(tensor.Share());

    /// <summary>Keeps a value the operation made for its backward alone.</summary>
    protected Tensor Own(Tensor tensor)
    {
        Note(tensor, owned: true);
        return tensor;
    }

    /// <summary>Says that the backward reads a parameter, which outlives the tape, so that no handle of its own is needed.</summary>
    protected void Reads(Parameter parameter) => Note(parameter.Value, owned: false);

    private void Note(Tensor tensor, bool owned)
    {
        if (_count == _saved.Length)
        {
            Array.Resize(ref _saved, Math.Max(4, 2 * _count));
        }

        _saved[_count++] = new Saved(tensor, tensor.Storage.Writes, owned);
    }

    /// <summary>A value that the backward reads.</summary>
    /// <param name="Tensor">The value.</param>
    /// <param name="Writes">How often its memory had been overwritten when it was noted.</param>
    /// <param name="Owned">Whether the node frees the handle.</param>
    private readonly record struct Saved(Tensor Tensor, int Writes, bool Owned);
}
