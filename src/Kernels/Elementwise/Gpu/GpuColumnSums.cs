using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise.Gpu;

internal readonly struct ColumnSumArgs
{
    internal ArrayView<float> Source { get; init; }

    internal ArrayView<float> Target { get; init; }

    /// <summary>Where groups with z = 1 write: they sum the matrix behind the first one. The target where there is one matrix.</summary>
    internal ArrayView<float> Second { get; init; }

    internal int Rows { get; init; }

    internal int Columns { get; init; }

    /// <summary>Columns that one group sums, a power of two.</summary>
    internal int ColumnsPerGroup { get; init; }

    /// <summary>Rows that one group sums; group (x, y) writes row y of the target.</summary>
    internal int RowsPerGroup { get; init; }

    /// <summary>1 to add to the target.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>
/// Sums of columns in two passes of one kernel: groups sum 32 columns of a slab of rows into a row of partial sums, then the rows of partial sums are
/// summed. A warp reads 128 bytes of one row; each of the group's warps takes every n-th row. Up to 2048 rows are summed in one pass by groups of
/// eight columns, of which a warp reads four rows at a time: starting a second kernel would take longer. 4 bytes and one addition per input: limited
/// by memory.
/// </summary>
internal static class GpuColumnSums
{
    private const int GroupSize = ElementwisePlan.GpuThreads;

    internal static readonly GpuKernel<ColumnSumArgs> Kernel = new("elementwise.column_sums", Run, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = GroupSize * sizeof(float),
    };

    /// <summary>How the first pass is cut (<see cref="ElementwisePlan.Slabs"/>).</summary>
    /// <exception cref="ArgumentException">The matrix has 2^31 elements or more.</exception>
    internal static (int Across, int Slabs, int RowsPerGroup) Split(int rows, int columns)
    {
        GpuSizes.Index((long)rows * columns, Kernel);
        return ElementwisePlan.Slabs(rows, columns);
    }

    /// <summary>target [columns] += all rows of a matrix, in one pass.</summary>
    internal static void AddRows(GpuLauncher launcher, View source, View target, int rows, int columns) =>
        launcher.Launch(Kernel, GpuSizes.Groups(columns, ElementwisePlan.ColumnsAtOnce(rows)), new ColumnSumArgs
        {
            ColumnsPerGroup = ElementwisePlan.ColumnsAtOnce(rows),
            Source = source.GpuFloats,
            Target = target.GpuFloats,
            Second = target.GpuFloats,
            Rows = rows,
            Columns = columns,
            RowsPerGroup = rows,
            Accumulate = 1,
        });

    /// <summary>The same with two matrices [2, rows, columns] and a target each.</summary>
    internal static void AddRows(GpuLauncher launcher, View source, View first, View second, int rows, int columns) =>
        launcher.Launch(Kernel, GpuSizes.Groups(columns, ElementwisePlan.ColumnsAtOnce(rows)), 1, 2, new ColumnSumArgs
        {
            ColumnsPerGroup = ElementwisePlan.ColumnsAtOnce(rows),
            Source = source.GpuFloats,
            Target = first.GpuFloats,
            Second = second.GpuFloats,
            Rows = rows,
            Columns = columns,
            RowsPerGroup = rows,
            Accumulate = 1,
        });

    internal static void Run(ColumnSumArgs args)
    {
        var sums = SharedMemory.Allocate1D<float>(GroupSize);
        int thread = Group.IdxX, width = args.ColumnsPerGroup, lanes = Group.DimX / width;
        int column = (Grid.IdxX * width) + (thread & (width - 1)), lane = thread / width;
        int end = IntrinsicMath.Min(args.Rows, (Grid.IdxY + 1) * args.RowsPerGroup);
        float sum = 0f;
        if (column < args.Columns)
        {
            for (int row = (Grid.IdxY * args.RowsPerGroup) + lane; row < end; row += lanes)
            {
                sum += args.Source[(((Grid.IdxZ * args.Rows) + row) * args.Columns) + column];
            }
        }

        sums[thread] = sum;
        Group.Barrier();
        if (lane == 0 && column < args.Columns)
        {
            for (int i = 1; i < lanes; i++)
            {
                sum += sums[(i * width) + thread];
            }

            int at = (Grid.IdxY * args.Columns) + column;
            var target = Grid.IdxZ == 0 ? args.Target : args.Second;
            target[at] = args.Accumulate != 0 ? target[at] + sum : sum;
        }
    }
}
