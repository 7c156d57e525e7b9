using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Normalization.Gpu;

internal readonly struct LayerNormParameterArgs
{
    internal ArrayView<float> X { get; init; }

    internal ArrayView<float> Dy { get; init; }

    internal ArrayView<float> Mean { get; init; }

    internal ArrayView<float> Rstd { get; init; }

    /// <summary>[slabs, columns]: partial sums; [columns], which is added to, where one group sums all rows.</summary>
    internal ArrayView<float> Gamma { get; init; }

    internal ArrayView<float> Beta { get; init; }

    /// <summary>1 to add to the sums.</summary>
    internal int Accumulate { get; init; }

    /// <summary>Columns of a group, a power of two.</summary>
    internal int ColumnsPerGroup { get; init; }

    internal int Rows { get; init; }

    internal int Columns { get; init; }

    internal int RowsPerGroup { get; init; }
}

/// <summary>
/// dgamma and dbeta: group (x, y) sums 32 columns of slab y of the rows; a column sum over the slabs follows. Up to 2048 rows are one slab, in groups
/// of eight columns, and nothing follows. 8 bytes and five operations an element: limited by memory.
/// </summary>
internal static class GpuLayerNormParameters
{
    private const int GroupSize = NormalizationPlan.GpuParameterThreads;

    internal static readonly GpuKernel<LayerNormParameterArgs> Kernel = new("normalization.layer_norm_parameters", Run, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = 2 * GroupSize * sizeof(float),
    };

    internal static void Run(LayerNormParameterArgs args)
    {
        var gammas = SharedMemory.Allocate1D<float>(GroupSize);
        var betas = SharedMemory.Allocate1D<float>(GroupSize);
        int thread = Group.IdxX, width = args.ColumnsPerGroup, lanes = Group.DimX / width;
        int column = (Grid.IdxX * width) + (thread & (width - 1)), lane = thread / width;
        int end = IntrinsicMath.Min(args.Rows, (Grid.IdxY + 1) * args.RowsPerGroup);
        float gamma = 0f, beta = 0f;
        if (column < args.Columns)
        {
            for (int row = (Grid.IdxY * args.RowsPerGroup) + lane; row < end; row += lanes)
            {
                int at = (row * args.Columns) + column;
                float dy = args.Dy[at];
                beta += dy;
                gamma += dy * ((args.X[at] - args.Mean[row]) * args.Rstd[row]);
            }
        }

        gammas[thread] = gamma;
        betas[thread] = beta;
        Group.Barrier();
        if (lane == 0 && column < args.Columns)
        {
            for (int i = 1; i < lanes; i++)
            {
                gamma += gammas[(i * width) + thread];
                beta += betas[(i * width) + thread];
            }

            int at = (Grid.IdxY * args.Columns) + column;
            args.Gamma[at] = args.Accumulate != 0 ? args.Gamma[at] + gamma : gamma;
            args.Beta[at] = args.Accumulate != 0 ? args.Beta[at] + beta : beta;
        }
    }
}
