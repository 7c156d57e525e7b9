using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Reduction.Gpu;

internal readonly struct GradientScaleArgs
{
    /// <summary>Bits of the largest absolute values of the first pass's groups.</summary>
    internal ArrayView<int> Largest { get; init; }

    internal int Count { get; init; }

    /// <summary>Two floats.</summary>
    internal ArrayView<float> Scale { get; init; }
}

/// <summary>
/// The power of two that brings the largest absolute value of a gradient into 8 .. 16, and its inverse: two launches, and the host reads nothing. The
/// first pass is
/// <see cref="GpuReductions.MaxAbs"/>, 4 bytes an element, limited by memory.
/// </summary>
internal static class GpuGradientScale
{
    private const int GroupSize = ReductionPlan.GpuThreads;

    private static readonly GpuKernel<GradientScaleArgs> s_kernel = new(
        "reduction.gradient_scale", Run, GroupSize)
    { AnyGroup = true, SharedBytes = GroupSize * sizeof(int) };

    internal static void Launch(GpuLauncher launcher, View x, long count, View scale)
    {
        var (largest, groups) = GpuReduction.LaunchMaxAbs(launcher, x, count);
        launcher.Launch(s_kernel, 1, new GradientScaleArgs { Largest = largest, Count = groups, Scale = scale.GpuFloats });
    }

    internal static void Run(GradientScaleArgs args)
    {
        var shared = SharedMemory.Allocate1D<int>(GroupSize);
        int thread = Group.IdxX, largest = 0;
        for (int i = thread; i < args.Count; i += Group.DimX)
        {
            largest = IntrinsicMath.Max(largest, args.Largest[i]);
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
            int exponent = GradientScaling.Exponent(shared[0]);
            args.Scale[0] = Interop.IntAsFloat((uint)(exponent << 23));
            args.Scale[1] = Interop.IntAsFloat((uint)(GradientScaling.Inverse(exponent) << 23));
        }
    }
}
