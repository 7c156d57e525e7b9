using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Tokens;

/// <summary>Blocks of floats to move; lengths and strides count packs of the kernel's type.</summary>
internal readonly struct BlockArgs
{
    internal ArrayView<float> Source { get; init; }

    internal ArrayView<float> Target { get; init; }

    internal ArrayView<int> Indices { get; init; }

    internal int SourceStride { get; init; }

    internal int TargetStride { get; init; }

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
    internal static void Copy(BlockArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Blocks * args.Length)
        {
            int block = item / args.Length, i = item % args.Length;
            var source = args.Source.Cast<T>();
            var target = args.Target.Cast<T>();
            int at = (block * args.TargetStride) + i;
            var value = source[(block * args.SourceStride) + i];
            target[at] = args.Accumulate != 0 ? T.Add(target[at], value) : value;
        }
    }

    /// <summary>target += the blocks, in order.</summary>
    internal static void Sum(BlockArgs args)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Length)
        {
            var source = args.Source.Cast<T>();
            var target = args.Target.Cast<T>();
            var sum = target[i];
            for (int block = 0; block < args.Blocks; block++)
            {
                sum = T.Add(sum, source[(block * args.SourceStride) + i]);
            }

            target[i] = sum;
        }
    }

    /// <summary>Row i of the target is the source's row at index i.</summary>
    internal static void Gather(BlockArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Blocks * args.Length)
        {
            int row = item / args.Length, i = item % args.Length;
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
