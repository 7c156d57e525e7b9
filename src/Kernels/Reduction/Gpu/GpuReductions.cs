using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Reduction.Gpu;

internal readonly struct ReductionArgs
{
    internal ArrayView<float> X { get; init; }

    /// <summary>One result a group.</summary>
    internal ArrayView<double> Sums { get; init; }

    /// <summary>One result a group.</summary>
    internal ArrayView<int> Largest { get; init; }

    internal int Count { get; init; }

    /// <summary>1 to sum squares.</summary>
    internal int Squared { get; init; }
}

/// <summary>
/// First pass of whole-tensor reductions: groups stride through the data together, 4 bytes an element; the host combines their results in order.
/// </summary>
internal static class GpuReductions
{
    private const int GroupSize = ReductionPlan.GpuThreads;

    internal static readonly GpuKernel<ReductionArgs> Sum = new(
        "reduction.sum", RunSum, GroupSize)
    { AnyGroup = true, SharedBytes = GroupSize * sizeof(double) };
    internal static readonly GpuKernel<ReductionArgs> MaxAbs = new(
        "reduction.max_abs", RunMaxAbs, GroupSize)
    { AnyGroup = true, SharedBytes = GroupSize * sizeof(int) };

    internal static void RunSum(ReductionArgs args)
    {
        var shared = SharedMemory.Allocate1D<double>(GroupSize);
        int thread = Group.IdxX;
        double sum = 0;
        for (int i = (Grid.IdxX * Group.DimX) + thread; i < args.Count; i += Grid.DimX * Group.DimX)
        {
            double x = args.X[i];
            sum += args.Squared != 0 ? x * x : x;
        }

        shared[thread] = sum;
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            Group.Barrier();
            if (thread < half)
            {
                shared[thread] += shared[thread + half];
            }
        }

        if (thread == 0)
        {
            args.Sums[Grid.IdxX] = shared[0];
        }
    }

    /// <summary>The largest |x| by its bits (<see cref="ScaleOfGrid.Larger"/>).</summary>
    internal static void RunMaxAbs(ReductionArgs args)
    {
        int largest = 0;
        for (int i = (Grid.IdxX * Group.DimX) + Group.IdxX; i < args.Count; i += Grid.DimX * Group.DimX)
        {
            largest = ScaleOfGrid.Larger(largest, args.X[i]);
        }

        largest = ScaleOfGrid.OfGroup(largest);
        if (Group.IdxX == 0)
        {
            args.Largest[Grid.IdxX] = largest;
        }
    }
}
