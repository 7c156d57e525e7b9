using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Indexing.Gpu;

internal readonly struct IndexingArgs
{
    internal ArrayView<float> Source { get; init; }

    internal ArrayView<float> Target { get; init; }

    internal ArrayView<int> Indices { get; init; }

    internal int Rows { get; init; }

    internal int Inner { get; init; }

    internal int Count { get; init; }

    /// <summary>Elements of all selected slices.</summary>
    internal int Items { get; init; }
}

/// <summary>GPU selection by index: a thread an element; sums without atomics, in the order of the indices. Limited by memory.</summary>
internal sealed class GpuIndexing(GpuLauncher launcher) : IIndexingKernels
{
    private const int GroupSize = IndexingPlan.GpuThreads;

    private static readonly GpuKernel<IndexingArgs> s_select = new("indexing.select", RunSelect, GroupSize) { AnyGroup = true };
    private static readonly GpuKernel<IndexingArgs> s_add = new("indexing.select_backward", RunAdd, GroupSize) { AnyGroup = true };

    public void Select(View x, View indices, View y, int outer, int rows, int inner, int count) =>
        launcher.LaunchItems(s_select, (long)outer * count * inner, Args(s_select, x, indices, y, outer, rows, inner, count));

    public void SelectBackward(View dy, View indices, View dx, int outer, int rows, int inner, int count) =>
        launcher.Launch(s_add, checked(outer * count), Args(s_add, dy, indices, dx, outer, rows, inner, count));

    private static IndexingArgs Args(GpuKernel kernel, View source, View indices, View target, int outer, int rows, int inner, int count)
    {
        GpuSizes.Index((long)outer * rows * inner, kernel);
        return new IndexingArgs
        {
            Source = source.GpuFloats,
            Target = target.GpuFloats,
            Indices = indices.GpuInts,
            Rows = rows,
            Inner = inner,
            Count = count,
            Items = GpuSizes.Index((long)outer * count * inner, kernel),
        };
    }

    private static void RunSelect(IndexingArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Items)
        {
            int slice = item / args.Inner, column = item - (slice * args.Inner), outer = slice / args.Count;
            int index = args.Indices[slice - (outer * args.Count)];
            bool inside = index >= 0 && index < args.Rows;
            float value = args.Source[inside ? (((outer * args.Rows) + index) * args.Inner) + column : 0];
            args.Target[item] = inside ? value : float.NaN;
        }
    }

    /// <summary>
    /// Group (o, i) adds every slice that goes where slice i goes, in ascending order, unless an earlier group does.
    /// </summary>
    private static void RunAdd(IndexingArgs args)
    {
        int outer = Grid.IdxX / args.Count, first = Grid.IdxX - (outer * args.Count), index = args.Indices[first];
        bool wanted = index >= 0 && index < args.Rows;
        for (int i = 0; i < first; i++)
        {
            wanted &= args.Indices[i] != index;
        }

        if (wanted)
        {
            for (int column = Group.IdxX; column < args.Inner; column += Group.DimX)
            {
                int at = (((outer * args.Rows) + index) * args.Inner) + column;
                float sum = args.Target[at];
                for (int i = first; i < args.Count; i++)
                {
                    if (args.Indices[i] == index)
                    {
                        sum += args.Source[(((outer * args.Count) + i) * args.Inner) + column];
                    }
                }

                args.Target[at] = sum;
            }
        }
    }
}
