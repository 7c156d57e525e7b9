using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Reduction.Gpu;

internal readonly struct FiniteArgs
{
    internal ChunkViews Chunks { get; init; }

    internal ArrayView<int> Table { get; init; }

    /// <summary>One result a group.</summary>
    internal ArrayView<int> Partial { get; init; }

    internal ArrayView<int> Found { get; init; }

    internal int Rows { get; init; }

    /// <summary>Groups of the launches before this one; in the second pass, all groups.</summary>
    internal int Groups { get; init; }

    /// <summary>Tensors of the whole list minus those before this launch's first.</summary>
    internal int Left { get; init; }
}

/// <summary>
/// Looks for NaN and infinity in many tensors in one launch, a second combines the groups' results; 4 bytes an element, limited by memory.
/// </summary>
internal static class GpuFiniteCheck
{
    private const int GroupSize = ReductionPlan.GpuThreads;

    internal static readonly GpuKernel<FiniteArgs> Kernel = new(
        "reduction.find_not_finite", Run, GroupSize)
    { AnyGroup = true, SharedBytes = sizeof(int) };

    internal static readonly GpuKernel<FiniteArgs> Combine = new("reduction.first_not_finite", RunCombine, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = GroupSize * sizeof(int),
    };

    internal static void Run(FiniteArgs args)
    {
        var any = SharedMemory.Allocate1D<int>(1);
        if (Group.IdxX == 0)
        {
            any[0] = 0;
        }

        Group.Barrier();
        var table = args.Table;
        int row = GpuTensorTable.Find(table, args.Rows, Grid.IdxX), at = row * GpuTensorTable.RowLength;
        int count = table[at + GpuTensorTable.Elements];
        int start = (Grid.IdxX - table[at + GpuTensorTable.FirstGroup]) * GpuPlan.TableElements;
        int end = IntrinsicMath.Min(count, start + GpuPlan.TableElements);
        var values = ChunkViews.Pick(args.Chunks, table[at + GpuTensorTable.FirstView]);
        int offset = table[at + GpuTensorTable.FirstView + 1], bad = 0;
        for (int i = start + Group.IdxX; i < end; i += Group.DimX)
        {
            // All ones in the exponent: infinity or NaN.
            bad |= (Interop.FloatAsInt(values[offset + i]) & 0x7F800000u) == 0x7F800000u ? 1 : 0;
        }

        // Whoever writes, writes the same.
        if (bad != 0)
        {
            any[0] = 1;
        }

        Group.Barrier();
        if (Group.IdxX == 0)
        {
            args.Partial[args.Groups + Grid.IdxX] = any[0] != 0 ? args.Left - row : 0;
        }
    }

    /// <summary>One group: the largest of all groups' results, which is that of the first bad tensor.</summary>
    internal static void RunCombine(FiniteArgs args)
    {
        var shared = SharedMemory.Allocate1D<int>(GroupSize);
        int thread = Group.IdxX, largest = 0;
        for (int i = thread; i < args.Groups; i += Group.DimX)
        {
            largest = IntrinsicMath.Max(largest, args.Partial[i]);
        }

        shared[thread] = largest;
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            Group.Barrier();
            if (thread < half)
            {
                shared[thread] = IntrinsicMath.Max(shared[thread], shared[thread + half]);
            }
        }

        if (thread == 0)
        {
            args.Found[0] = shared[0];
        }
    }
}
