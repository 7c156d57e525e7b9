using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Normalization;

/// <summary>
/// The gradient of a layer normalisation's input in a residual block, where it meets the gradient that went past the block and a product comes next.
/// </summary>
/// <param name="X">The input [rows, columns] without the first rows.</param>
/// <param name="Gamma">[columns].</param>
/// <param name="Mean">Of all rows.</param>
/// <param name="Rstd">1 / standard deviation of all rows.</param>
/// <param name="Dy">The gradient of the output, of all rows, as a product left it.</param>
/// <param name="Dx">Where the gradient goes.</param>
/// <param name="Rows">Of both inputs together.</param>
/// <param name="Columns">Of a row.</param>
internal readonly record struct LayerNormGradient(View X, View Gamma, View Mean, View Rstd, GemmParts Dy, View Dx, int Rows, int Columns)
{
    /// <summary>What Dx is the sum with: Dx itself or laid out like it; absent for nothing.</summary>
    internal View Before { get; init; }

    /// <summary>Dx once more in 16 bits; absent but on a GPU.</summary>
    internal View Rounded { get; init; }

    /// <summary>What Rounded is times the first element of; absent where it is not scaled.</summary>
    internal View RoundedScale { get; init; }

    /// <summary>The rows that came first in <see cref="INormalizationKernels.LayerNormAfter"/>.</summary>
    internal View First { get; init; }

    /// <summary>Their gradient, which is added to.</summary>
    internal View FirstDx { get; init; }

    /// <summary>How many they are.</summary>
    internal int FirstRows { get; init; }
}
