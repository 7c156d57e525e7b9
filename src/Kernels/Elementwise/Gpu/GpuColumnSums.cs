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
    internal const int GroupSize = 256;
    internal const int ColumnsPerGroup = 32;

    /// <summary>Columns of a group that sums all rows.</summary>
    internal const int FewColumns = 8;

    // Rows that are summed in one pass: 64 for each thread.
    private const int MostRowsAtOnce = 2048;

    internal static readonly GpuKernel<ColumnSumArgs> Kernel = new("elementwise.column_sums", Run, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = GroupSize * sizeof(float),
    };

    /// <summary>
    /// Groups across, slabs of rows and rows a slab: enough groups for a large device, at least 64 rows for each; sizes alone decide.
    /// </summary>
    internal static (int Across, int Slabs, int RowsPerGroup) Split(int rows, int columns)
    {
        GpuSizes.Index((long)rows * columns, Kernel);
        int across = GpuSizes.Groups(columns, ColumnsPerGroup);
        int slabs = Math.Clamp(Math.Min(rows / 64, 512 / across), 1, 64);
        int rowsPerGroup = Math.Max(1, GpuSizes.Groups(rows, slabs));
        return (across, Math.Max(1, GpuSizes.Groups(rows, rowsPerGroup)), rowsPerGroup);
    }

    /// <summary>Whether one pass does.</summary>
    internal static bool AtOnce(int rows) => rows <= MostRowsAtOnce;

    /// <summary>
    /// Columns of a group that sums so many rows in one pass: few where there are many rows, which then are shared out among more threads.
    /// </summary>
    internal static int Columns(int rows) => rows > ColumnsPerGroup ? FewColumns : ColumnsPerGroup;

    /// <summary>target [columns] += all rows of a matrix, in one pass.</summary>
    internal static void AddRows(GpuLauncher launcher, View source, View target, int rows, int columns) =>
        launcher.Launch(Kernel, GpuSizes.Groups(columns, Columns(rows)), new ColumnSumArgs
        {
            ColumnsPerGroup = Columns(rows),
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
        launcher.Launch(Kernel, GpuSizes.Groups(columns, Columns(rows)), 1, 2, new ColumnSumArgs
        {
            ColumnsPerGroup = Columns(rows),
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
