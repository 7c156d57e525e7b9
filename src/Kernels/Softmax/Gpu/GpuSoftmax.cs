using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Softmax.Gpu;

internal readonly struct SoftmaxArgs
{
    internal ArrayView<float> X { get; init; }

    internal ArrayView<float> Y { get; init; }

    internal ArrayView<float> Dy { get; init; }

    internal ArrayView<float> Dx { get; init; }

    internal int Length { get; init; }

    internal int Inner { get; init; }

    /// <summary>1 for the logarithm.</summary>
    internal int Logarithm { get; init; }

    /// <summary>1 to add to dx.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>
/// GPU softmax: one group a slice, whose threads take every n-th element. Along rows a warp reads whole lines; down columns neighbouring groups share
/// them through the second-level cache. Limited by memory.
/// </summary>
internal sealed class GpuSoftmax(GpuLauncher launcher) : ISoftmaxKernels
{
    private const int GroupSize = SoftmaxPlan.GpuThreads;
    private const int SharedFloats = GroupSize + GpuPlan.ReductionParts;

    private static readonly GpuKernel<SoftmaxArgs> s_forward = Define("forward", RunForward);
    private static readonly GpuKernel<SoftmaxArgs> s_backward = Define("backward", RunBackward);

    public void Forward(View x, View y, bool logarithm, int outer, int length, int inner) =>
        launcher.Launch(s_forward, Slices(outer, length, inner), new SoftmaxArgs
        {
            X = x.GpuFloats,
            Y = y.GpuFloats,
            Dy = y.GpuFloats,
            Dx = y.GpuFloats,
            Length = length,
            Inner = inner,
            Logarithm = logarithm ? 1 : 0,
        });

    public void Backward(View y, View dy, View dx, bool logarithm, bool accumulate, int outer, int length, int inner) =>
        launcher.Launch(s_backward, Slices(outer, length, inner), new SoftmaxArgs
        {
            X = y.GpuFloats,
            Y = y.GpuFloats,
            Dy = dy.GpuFloats,
            Dx = dx.GpuFloats,
            Length = length,
            Inner = inner,
            Logarithm = logarithm ? 1 : 0,
            Accumulate = accumulate ? 1 : 0,
        });

    private static int Slices(int outer, int length, int inner)
    {
        GpuSizes.Index((long)outer * length * inner, s_forward);
        return outer * inner;
    }

    private static void RunForward(SoftmaxArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        int outer = Grid.IdxX / args.Inner, first = (outer * args.Length * args.Inner) + Grid.IdxX - (outer * args.Inner);
        float max = float.NegativeInfinity;
        for (int i = Group.IdxX; i < args.Length; i += Group.DimX)
        {
            max = MathF.Max(max, args.X[first + (i * args.Inner)]);
        }

        // A NaN that the maximum passes over is in the sum.
        max = GroupReduction.Max(shared, max);
        float sum = 0f;
        for (int i = Group.IdxX; i < args.Length; i += Group.DimX)
        {
            sum += MathF.Exp(args.X[first + (i * args.Inner)] - max);
        }

        sum = GroupReduction.Sum(shared, sum);
        float shift = MathF.Log(sum), factor = 1f / sum;
        for (int i = Group.IdxX; i < args.Length; i += Group.DimX)
        {
            int at = first + (i * args.Inner);
            float shifted = args.X[at] - max;
            args.Y[at] = args.Logarithm != 0 ? shifted - shift : MathF.Exp(shifted) * factor;
        }
    }

    private static void RunBackward(SoftmaxArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        int outer = Grid.IdxX / args.Inner, first = (outer * args.Length * args.Inner) + Grid.IdxX - (outer * args.Inner);
        float sum = 0f;
        for (int i = Group.IdxX; i < args.Length; i += Group.DimX)
        {
            int at = first + (i * args.Inner);
            sum += args.Logarithm != 0 ? args.Dy[at] : args.Dy[at] * args.Y[at];
        }

        sum = GroupReduction.Sum(shared, sum);
        for (int i = Group.IdxX; i < args.Length; i += Group.DimX)
        {
            int at = first + (i * args.Inner);
            float y = args.Y[at], dy = args.Dy[at];
            float value = args.Logarithm != 0 ? dy - (MathF.Exp(y) * sum) : y * (dy - sum);
            args.Dx[at] = args.Accumulate != 0 ? args.Dx[at] + value : value;
        }
    }

    private static GpuKernel<SoftmaxArgs> Define(string name, Action<SoftmaxArgs> method) =>
        new("softmax." + name, method, GroupSize) { AnyGroup = true, SharedBytes = SharedFloats * sizeof(float) };
}
