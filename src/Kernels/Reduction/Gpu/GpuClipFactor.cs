using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Reduction.Gpu;

internal readonly struct ClipArgs
{
    internal ChunkViews Chunks { get; init; }

    internal ArrayView<int> Table { get; init; }

    /// <summary>One result a group.</summary>
    internal ArrayView<double> Partial { get; init; }

    /// <summary>Factor and norm.</summary>
    internal ArrayView<float> Result { get; init; }

    internal int Rows { get; init; }

    /// <summary>Groups of the launches before this one; in the second pass, all groups.</summary>
    internal int Groups { get; init; }

    internal double Bound { get; init; }
}

/// <summary>
/// The norm of many tensors together, and what brings it below a bound: sums of squares of all tensors in one launch, a second adds the groups' sums
/// in order. 4 bytes an element, limited by memory.
/// </summary>
internal static class GpuClipFactor
{
    private const int GroupSize = ReductionPlan.GpuThreads;

    internal static readonly GpuKernel<ClipArgs> Kernel = new("reduction.sum_squares", Run, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = GroupSize * sizeof(double),
    };

    internal static readonly GpuKernel<ClipArgs> Combine = new("reduction.clip_factor", RunCombine, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = GroupSize * sizeof(double),
    };

    internal static void Run(ClipArgs args)
    {
        var shared = SharedMemory.Allocate1D<double>(GroupSize);
        var table = args.Table;
        int row = GpuTensorTable.Find(table, args.Rows, Grid.IdxX), at = row * GpuTensorTable.RowLength;
        int count = table[at + GpuTensorTable.Elements];
        int start = (Grid.IdxX - table[at + GpuTensorTable.FirstGroup]) * GpuPlan.TableElements;
        int end = IntrinsicMath.Min(count, start + GpuPlan.TableElements);
        var values = ChunkViews.Pick(args.Chunks, table[at + GpuTensorTable.FirstView]);
        int offset = table[at + GpuTensorTable.FirstView + 1];
        double sum = 0;
        for (int i = start + Group.IdxX; i < end; i += Group.DimX)
        {
            double x = values[offset + i];
            sum += x * x;
        }

        AddUp(shared, sum);
        if (Group.IdxX == 0)
        {
            args.Partial[args.Groups + Grid.IdxX] = shared[0];
        }
    }

    /// <summary>One group.</summary>
    internal static void RunCombine(ClipArgs args)
    {
        var shared = SharedMemory.Allocate1D<double>(GroupSize);
        double sum = 0;
        for (int i = Group.IdxX; i < args.Groups; i += Group.DimX)
        {
            sum += args.Partial[i];
        }

        AddUp(shared, sum);
        if (Group.IdxX == 0)
        {
            double norm = Math.Sqrt(shared[0]);
            args.Result[0] = norm > args.Bound ? (float)(args.Bound / (norm + ReductionLimits.ClipMargin)) : 1f;
            args.Result[1] = (float)norm;
        }
    }

    // Leaves the sum over a group in the first place, for thread 0.
    private static void AddUp(ArrayView<double> shared, double own)
    {
        int thread = Group.IdxX;
        shared[thread] = own;
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            Group.Barrier();
            if (thread < half)
            {
                shared[thread] += shared[thread + half];
            }
        }
    }
}
