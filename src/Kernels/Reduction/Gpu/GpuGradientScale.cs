using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Reduction.Gpu;

internal readonly struct GradientScaleArgs
{
    internal ArrayView<float> X { get; init; }

    internal int Count { get; init; }

    internal ScaleOfGrid Scale { get; init; }
}

internal readonly struct GroupScaleArgs
{
    /// <summary>Bits of the largest absolute values of the first launch's groups.</summary>
    internal ArrayView<int> Largest { get; init; }

    internal int Count { get; init; }

    /// <summary>Two floats.</summary>
    internal ArrayView<float> Scale { get; init; }
}

/// <summary>
/// The power of two that brings the largest absolute value of a gradient into 8 .. 16, and its inverse: the host reads nothing. One launch, or
/// <see cref="GpuReductions.MaxAbs"/> and one more where groups cannot join theirs (<see cref="ScaleOfGrid"/>). 4 bytes an element, limited by
/// memory.
/// </summary>
internal static class GpuGradientScale
{
    private const int GroupSize = ReductionPlan.GpuThreads;

    private static readonly GpuKernel<GradientScaleArgs> s_kernel = new(
        "reduction.gradient_scale", Run, GroupSize)
    { AnyGroup = true, SharedBytes = GroupSize * sizeof(int), CudaOnly = true };
    private static readonly GpuKernel<GroupScaleArgs> s_ofGroups = new(
        "reduction.gradient_scale_of_groups", RunOfGroups, GroupSize)
    { AnyGroup = true, SharedBytes = GroupSize * sizeof(int), OpenClOnly = true };

    internal static void Launch(GpuLauncher launcher, View x, long count, View scale)
    {
        if (!ScaleOfGrid.Works(launcher))
        {
            var (largest, parts) = GpuReduction.LaunchMaxAbs(launcher, x, count);
            launcher.Launch(s_ofGroups, 1, new GroupScaleArgs { Largest = largest, Count = parts, Scale = scale.GpuFloats });
            return;
        }

        var args = new GradientScaleArgs { X = x.GpuFloats, Count = GpuSizes.Index(count, s_kernel), Scale = ScaleOfGrid.Of(launcher, scale) };
        launcher.Launch(s_kernel, ReductionPlan.GpuGroups(count), args);
    }

    internal static void Run(GradientScaleArgs args)
    {
        int largest = 0;
        for (int i = (Grid.IdxX * Group.DimX) + Group.IdxX; i < args.Count; i += Grid.DimX * Group.DimX)
        {
            largest = ScaleOfGrid.Larger(largest, args.X[i]);
        }

        args.Scale.Finish(largest);
    }

    internal static void RunOfGroups(GroupScaleArgs args)
    {
        int largest = 0;
        for (int i = Group.IdxX; i < args.Count; i += Group.DimX)
        {
            largest = IntrinsicMath.Max(largest, args.Largest[i]);
        }

        largest = ScaleOfGrid.OfGroup(largest);
        if (Group.IdxX == 0)
        {
            ScaleOfGrid.Write(args.Scale, largest);
        }
    }
}
