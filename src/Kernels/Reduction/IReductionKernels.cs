using Ldvc.Tensors;

namespace Ldvc.Kernels.Reduction;

/// <summary>A tensor of a list.</summary>
internal readonly record struct TensorPart(View Data, long Count);

/// <summary>
/// Reductions: over the middle dimension of [outer, length, inner], whose results stay on the device, and of whole tensors, whose results the host
/// needs. The order of additions depends on the sizes alone.
/// </summary>
internal interface IReductionKernels
{
    /// <summary>y [outer, inner] (+)= factor * sum over the middle dimension of x [outer, length, inner].</summary>
    void SumAxis(View x, View y, float factor, bool accumulate, int outer, int length, int inner);

    /// <summary>
    /// y [outer, inner] = the largest along the middle dimension of x [outer, length, inner], length at least 1; NaN when any is NaN.
    /// </summary>
    void MaxAxis(View x, View y, int outer, int length, int inner);

    /// <summary>Sum of x, accumulated in double.</summary>
    double Sum(View x, long count);

    /// <summary>Sum of x squared, accumulated in double.</summary>
    double SumOfSquares(View x, long count);

    /// <summary>Largest absolute value; NaN when any element is NaN.</summary>
    float MaxAbs(View x, long count);

    /// <summary>True when no element is NaN or infinite.</summary>
    bool AllFinite(View x, long count);

    /// <summary>
    /// scale [2] = the power of two that brings the largest absolute value of a gradient into 8 .. 16, and its inverse; 1 and 1 when that is zero,
    /// infinite or NaN. What is stored in fp16 is stored times the first. The host reads nothing.
    /// </summary>
    void GradientScale(View x, long count, View scale);

    /// <summary>
    /// found, an int32 [1] on the device: 0 when all elements of all n tensors are finite, else n - i for the first tensor i with a NaN or an
    /// infinity. The host reads nothing.
    /// </summary>
    void FindNotFinite(IReadOnlyList<TensorPart> tensors, View found);

    /// <summary>
    /// result [2] on the device: what all tensors must be multiplied by so that their Euclidean norm, all elements together, is at most the bound (1
    /// when it is, or is no number), and that norm, summed in double. The host reads nothing.
    /// </summary>
    void ClipFactor(IReadOnlyList<TensorPart> tensors, double bound, View result);
}
