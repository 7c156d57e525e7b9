using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>The backward of a second handle to a value: both gradients are one tensor until somebody writes.</summary>
internal sealed class ShareNode(Variable output, Variable x) : Node(output)
{
    internal override void Backward(KernelSet kernels, Tensor dy) => x.AddGradient(dy);
}
