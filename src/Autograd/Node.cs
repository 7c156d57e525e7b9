using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>One recorded operation: its output, what the backward needs of the forward, and the backward itself.</summary>
internal abstract class Node
{
    private readonly List<Tensor> _saved = [];

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
        foreach (var tensor in _saved)
        {
            tensor.Dispose();
        }

        _saved.Clear();
    }

    /// <summary>Keeps a value until the backward of this node has run, whatever happens to the caller's handle.</summary>
    protected Tensor Save(Tensor tensor)
    {
        var handle = tensor.Share();
        _saved.Add(handle);
        return handle;
    }

    /// <summary>Keeps a value the operation made for its backward alone.</summary>
    protected Tensor Own(Tensor tensor)
    {
        _saved.Add(tensor);
        return tensor;
    }
}
