using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Elementwise.Gpu;

internal readonly struct StoredActivationArgs
{
    /// <summary>Values before the activation.</summary>
    internal ArrayView<Bf16x4> X { get; init; }

    internal ArrayView<Float4> Dy { get; init; }

    internal ArrayView<Float4> Dx { get; init; }

    internal int Quads { get; init; }

    internal int Activation { get; init; }

    /// <summary>1 to add to dx.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>
/// Backward of an activation whose input is stored in bf16: dx (+)= dy f'(x), gradients in float32. A thread four elements: 10 bytes an element, 14 when dx is
/// added to; limited by memory.
/// </summary>
internal static class GpuStoredActivation
{
    internal static readonly GpuKernel<StoredActivationArgs> Kernel =
        new("elementwise.activate_backward.bf16", Run, GpuElements.GroupSize) { AnyGroup = true, CudaOnly = true };

    internal static void Run(StoredActivationArgs args)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Quads)
        {
            Float4 x = Bf16x4.Widen(args.X[i]), dy = args.Dy[i];
            var value = new Float4(
                dy.X * GpuMath.Derivative(x.X, args.Activation), dy.Y * GpuMath.Derivative(x.Y, args.Activation),
                dy.Z * GpuMath.Derivative(x.Z, args.Activation), dy.W * GpuMath.Derivative(x.W, args.Activation));
            args.Dx[i] = args.Accumulate != 0 ? Float4.Add(args.Dx[i], value) : value;
        }
    }
}
