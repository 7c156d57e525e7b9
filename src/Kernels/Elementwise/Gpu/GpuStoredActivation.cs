using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Elementwise.Gpu;

internal readonly struct StoredActivationArgs
{
    /// <summary>Values before the activation.</summary>
    internal ArrayView<Halves4> X { get; init; }

    internal ArrayView<Float4> Dy { get; init; }

    internal ArrayView<Float4> Dx { get; init; }

    internal int Quads { get; init; }

    internal int Activation { get; init; }

    /// <summary>1 to add to dx.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>
/// Backward of an activation whose input is stored in 16 bits: dx (+)= dy f'(x), gradients in float32. A thread four elements: 10 bytes an element,
/// 14 when dx is added to; limited by memory.
/// </summary>
internal static class GpuStoredActivation
{
    private static readonly GpuKernel<StoredActivationArgs> s_bf16 = Define<Bf16Format>(), s_fp16 = Define<Fp16Format>();

    /// <summary>The kernel for a type.</summary>
    internal static GpuKernel<StoredActivationArgs> Kernel(DType type) => type == DType.Float16 ? s_fp16 : s_bf16;

    internal static void Run<TFormat>(StoredActivationArgs args)
        where TFormat : struct, IHalfFormat
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Quads)
        {
            Float4 x = Halves4.Widen<TFormat>(args.X[i]), dy = args.Dy[i];
            var value = new Float4(
                GpuMath.Backward(dy.X, x.X, args.Activation), GpuMath.Backward(dy.Y, x.Y, args.Activation),
                GpuMath.Backward(dy.Z, x.Z, args.Activation), GpuMath.Backward(dy.W, x.W, args.Activation));
            args.Dx[i] = args.Accumulate != 0 ? Float4.Add(args.Dx[i], value) : value;
        }
    }

    private static GpuKernel<StoredActivationArgs> Define<TFormat>()
        where TFormat : struct, IHalfFormat => new(
            $"elementwise.activate_backward.{TFormat.Name}", Run<TFormat>, ElementwisePlan.GpuThreads)
        { AnyGroup = true, CudaOnly = true };
}
