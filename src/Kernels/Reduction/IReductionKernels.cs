using Ldvc.Tensors;

namespace Ldvc.Kernels.Reduction;

/// <summary>A tensor of a list.</summary>
internal readonly record struct TensorPart(View Data, long Count);

/// <summary>Whole-tensor reductions whose result the host needs.</summary>
internal interface IReductionKernels
{
    /// <summary>Sum of x, accumulated in double.</summary>
    double Sum(View x, long count);

    /// <summary>Sum of x squared, accumulated in double.</summary>
    double SumOfSquares(View x, long count);

    /// <summary>Largest absolute value; NaN when any element is NaN.</summary>
    float MaxAbs(View x, long count);

    /// <summary>True when no element is NaN or infinite.</summary>
    bool AllFinite(View x, long count);

    /// <summary>
    /// found, an int32 [1] on the device: 0 when all elements of all n tensors are finite, else n - i for the first tensor i with a NaN or an infinity. The
    /// host reads nothing.
    /// </summary>
    void FindNotFinite(IReadOnlyList<TensorPart> tensors, View found);
}
