using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>One recorded operation: its output, what the backward needs of the forward, and the backward itself.</summary>
internal abstract class Node
{
    private Tensor[] _saved = [];
    private int _count;

    protected Node(Variable output)
    {
        Output = output;
    }

    internal Variable Output { get; }

    /// <summary>Adds to the inputs' gradients, given the output's. dy must not be changed.</summary>
    internal abstract void Backward(KernelSet kernels, Tensor dy);

    /// <summary>Frees what was saved.</summary>
    internal void Release()
    {
        for (int i = 0; i < _count; i++)
        {
            _saved[i].Dispose();
        }

        (_saved, _count) = ([], 0);
    }

    /// <summary>Keeps a value until the backward of this node has run, whatever happens to the caller's handle.</summary>
    protected Tensor Save(Tensor tensor) => Own(tensor.Share());

    /// <summary>Keeps a value the operation made for its backward alone.</summary>
    protected Tensor Own(Tensor tensor)
    {
        if (_count == _saved.Length)
        {
            Array.Resize(ref _saved, Math.Max(4, 2 * _count));
        }

        _saved[_count++] = tensor;
        return tensor;
    }
}
