using Ldvc.Kernels.Elementwise;

namespace Ldvc.Kernels.Normalization;

/// <summary>
/// Every choice of the normalisations. On the CPU, rows are shared out by their length alone (<see cref="Tiling"/>); on a GPU a group takes a row,
/// and the parameters' gradients are cut as the element-wise family cuts its sums of columns (<see cref="ElementwisePlan"/>).
/// </summary>
internal static class NormalizationPlan
{
    /// <summary>A row's length counts as at least this when it is scaled to unit length: PyTorch's floor.</summary>
    internal const float MinLength = 1e-12f;

    /// <summary>A row with a factor of at least this was shorter than the floor; a device's division may be off by a rounding.</summary>
    internal const float FloorInverse = 0.99999f / MinLength;

    /// <summary>Columns whose dgamma and dbeta one task sums over all rows on the CPU.</summary>
    internal const int CpuParameterColumns = 64;

    /// <summary>Threads of a GPU's group, which share a row.</summary>
    internal const int GpuThreads = 128;

    /// <summary>Threads of a GPU's group that sums gradients of parameters.</summary>
    internal const int GpuParameterThreads = 256;

    /// <summary>Tasks that the parameters' gradients are summed in on the CPU.</summary>
    internal static int CpuParameterTiles(int columns) => (columns + CpuParameterColumns - 1) / CpuParameterColumns;
}
