using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization;

/// <summary>Row-wise normalisations of contiguous [rows, columns] data.</summary>
internal interface INormalizationKernels
{
    /// <summary>y = (x - mean) * rstd * gamma + beta; keeps mean and rstd [rows] for the backward. On a GPU y may be bf16 or fp16.</summary>
    void LayerNorm(View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon);

    /// <summary>
    /// Gradients of <see cref="LayerNorm"/>: dx is overwritten, or added to when accumulate is set; dgamma and dbeta [columns] are added to; any
    /// of the three may be absent.
    /// </summary>
    void LayerNormBackward(
        View x, View gamma, View mean, View rstd, View dy, View dx, bool accumulate, View dgamma, View dbeta, int rows, int columns);

    /// <summary>
    /// As <see cref="LayerNorm"/> of matrices one after the other, the first of firstRows rows; rows counts those of both, of which y, mean and rstd
    /// have one each.
    /// </summary>
    void LayerNormAfter(View first, int firstRows, View x, View gamma, View beta, View y, View mean, View rstd, int rows, int columns, float epsilon);

    /// <summary>The gradient of the input alone, with what lies around it: <see cref="LayerNormGradient"/>.</summary>
    void LayerNormInputGradient(in LayerNormGradient gradient);

    /// <summary>sum = x + drop(branch), y = the layer normalisation of sum, whose mean and rstd are kept; all [rows, columns].</summary>
    void AddLayerNorm(
        View x,
        View branch,
        in BranchDropout drop,
        View gamma,
        View beta,
        View sum,
        View y,
        View mean,
        View rstd,
        int rows,
        int columns,
        float epsilon);

    /// <summary>
    /// Gradients of <see cref="AddLayerNorm"/>: dsum, which is x's, is overwritten; dbranch is overwritten or added to; dgamma and dbeta are added
    /// to. The last three may be absent.
    /// </summary>
    void AddLayerNormBackward(
        View sum,
        View gamma,
        View mean,
        View rstd,
        View dy,
        View dsum,
        View dbranch,
        bool accumulateBranch,
        in BranchDropout drop,
        View dgamma,
        View dbeta,
        int rows,
        int columns);

    /// <summary>y = x / max(|x|, 1e-12); keeps 1/|x| [rows].</summary>
    void L2Normalize(View x, View y, View inverseNorm, int rows, int columns);

    /// <summary>dx (+)= (dy - y (y . dy)) * inverseNorm; of a row shorter than 1e-12, which y is 1e12 times, dy * inverseNorm.</summary>
    void L2NormalizeBackward(View y, View inverseNorm, View dy, View dx, bool accumulate, int rows, int columns);
}
