using Ldvc.Tensors;

namespace Ldvc.Kernels.Softmax;

/// <summary>Softmax over the middle dimension of [outer, length, inner], length at least 1. NaN in a slice makes all of it NaN.</summary>
internal interface ISoftmaxKernels
{
    /// <summary>y = e^x / sum e^x, or its logarithm, around the slice's largest value. An x of -infinity gives exactly 0 (or -infinity).</summary>
    void Forward(View x, View y, bool logarithm, int outer, int length, int inner);

    /// <summary>dx (+)= y (dy - sum of dy y), or of the logarithm dx (+)= dy - e^y sum of dy.</summary>
    void Backward(View y, View dy, View dx, bool logarithm, bool accumulate, int outer, int length, int inner);
}
