using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Tokens.Gpu;

/// <summary>Blocks of floats to move; lengths and strides count packs of the kernel's type.</summary>
internal readonly struct BlockArgs
{
    internal ArrayView<float> Source { get; init; }

    internal ArrayView<float> Target { get; init; }

    internal ArrayView<int> Indices { get; init; }

    internal int SourceStride { get; init; }

    internal int TargetStride { get; init; }

    /// <summary>From one repetition to the next.</summary>
    internal int SourceStep { get; init; }

    internal int TargetStep { get; init; }

    internal int Times { get; init; }

    internal int Blocks { get; init; }

    internal int Length { get; init; }

    /// <summary>1 to add to the target.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>
/// Copies, sums and look-ups of blocks: one thread a pack of the target, neighbours beside each other, so that a warp moves whole cache lines.
/// 8 bytes a float copied, 12 added: limited by memory.
/// </summary>
internal static class GpuBlocks<T>
    where T : unmanaged, IPack<T>
{
    private const int SumColumns = TokensPlan.GpuSumColumns;

    internal static void Copy(BlockArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX, each = args.Blocks * args.Length;
        if (item < args.Times * each)
        {
            int time = item / each, left = item - (time * each), block = left / args.Length, i = left - (block * args.Length);
            var source = args.Source.Cast<T>();
            var target = args.Target.Cast<T>();
            int at = (time * args.TargetStep) + (block * args.TargetStride) + i;
            var value = source[(time * args.SourceStep) + (block * args.SourceStride) + i];
            target[at] = args.Accumulate != 0 ? T.Add(target[at], value) : value;
        }
    }

    /// <summary>
    /// target += the blocks. Sums are often few and long (the mean of a picture's tokens), so a group makes eight packs of one and shares the blocks
    /// out: each of its 32 rows of threads adds every 32nd, 128 bytes a row, and the first row adds the others' results in order.
    /// </summary>
    internal static void Sum(BlockArgs args)
    {
        var shared = SharedMemory.Allocate1D<T>(TokensPlan.GpuThreads);
        int column = Group.IdxX & (SumColumns - 1), row = Group.IdxX / SumColumns, rows = Group.DimX / SumColumns;
        int i = (Grid.IdxX * SumColumns) + column;
        var source = args.Source.Cast<T>();
        var target = args.Target.Cast<T>();
        var sum = T.Fill(0);
        if (i < args.Length)
        {
            int at = (Grid.IdxY * args.SourceStep) + i;
            for (int block = row; block < args.Blocks; block += rows)
            {
                sum = T.Add(sum, source[at + (block * args.SourceStride)]);
            }
        }

        shared[Group.IdxX] = sum;
        Group.Barrier();
        if (row == 0 && i < args.Length)
        {
            int at = (Grid.IdxY * args.TargetStep) + i;
            var total = target[at];
            for (int other = 0; other < rows; other++)
            {
                total = T.Add(total, shared[(other * SumColumns) + column]);
            }

            target[at] = total;
        }
    }

    /// <summary>Row i of the target is the source's row at index i.</summary>
    internal static void Gather(BlockArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Blocks * args.Length)
        {
            int row = item / args.Length, i = item - (row * args.Length);
            args.Target.Cast<T>()[item] = args.Source.Cast<T>()[(args.Indices[row] * args.Length) + i];
        }
    }

    /// <summary>
    /// Group i adds every source row that goes to the same target row as row i, in ascending order, unless an earlier group does: no atomics, and the
    /// order of the additions is that of the rows.
    /// </summary>
    internal static void Scatter(BlockArgs args)
    {
        int first = Grid.IdxX, index = args.Indices[first];
        bool earlier = false;
        for (int row = 0; row < first; row++)
        {
            earlier |= args.Indices[row] == index;
        }

        if (!earlier)
        {
            var source = args.Source.Cast<T>();
            var target = args.Target.Cast<T>();
            for (int i = Group.IdxX; i < args.Length; i += Group.DimX)
            {
                int at = (index * args.Length) + i;
                var sum = target[at];
                for (int row = first; row < args.Blocks; row++)
                {
                    if (args.Indices[row] == index)
                    {
                        sum = T.Add(sum, source[(row * args.Length) + i]);
                    }
                }

                target[at] = sum;
            }
        }
    }
}
