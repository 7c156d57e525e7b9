using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Elementwise.Gpu;

internal readonly struct ScaleByExpArgs
{
    /// <summary>x in the forward, dy in the backward.</summary>
    internal ArrayView<float> X { get; init; }

    /// <summary>The output: written in the forward, read for the gradient of s.</summary>
    internal ArrayView<float> Y { get; init; }

    /// <summary>The learnt logarithm [1].</summary>
    internal ArrayView<float> S { get; init; }

    /// <summary>Partial sums of the gradient of s, one a group.</summary>
    internal ArrayView<float> Partial { get; init; }

    /// <summary>The gradient of s [1].</summary>
    internal ArrayView<float> Gradient { get; init; }

    internal float Limit { get; init; }

    internal int Count { get; init; }

    internal int Groups { get; init; }

    /// <summary>1 to add to the output or the gradient.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>x times e^s, cut at a limit, with s on the device: the host never waits for CLIP's logit scale. Limited by memory.</summary>
internal static class GpuScaleByExp
{
    private const int GroupSize = ElementwisePlan.GpuThreads;
    private const int ElementsPerGroup = ElementwisePlan.GpuExponentElements;
    private const int SharedFloats = GroupSize + GpuPlan.ReductionParts;

    internal static readonly GpuKernel<ScaleByExpArgs> Forward = new("elementwise.scale_by_exp", RunForward, GroupSize) { AnyGroup = true };

    internal static readonly GpuKernel<ScaleByExpArgs> Products = new("elementwise.scale_by_exp_products", RunProducts, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = SharedFloats * sizeof(float),
    };

    internal static readonly GpuKernel<ScaleByExpArgs> Finish = new("elementwise.scale_by_exp_finish", RunFinish, GroupSize)
    {
        AnyGroup = true,
        SharedBytes = SharedFloats * sizeof(float),
    };

    internal static void RunForward(ScaleByExpArgs args)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < args.Count)
        {
            // A minimum would take the limit where s is NaN.
            float factor = MathF.Exp(args.S[0]), value = args.X[i] * (factor > args.Limit ? args.Limit : factor);
            args.Y[i] = args.Accumulate != 0 ? args.Y[i] + value : value;
        }
    }

    /// <summary>Group g: sum of dy * y over its elements.</summary>
    internal static void RunProducts(ScaleByExpArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        int end = IntrinsicMath.Min(args.Count, (Grid.IdxX + 1) * ElementsPerGroup);
        float sum = 0f;
        for (int i = (Grid.IdxX * ElementsPerGroup) + Group.IdxX; i < end; i += Group.DimX)
        {
            sum += args.X[i] * args.Y[i];
        }

        sum = GroupReduction.Sum(shared, sum);
        if (Group.IdxX == 0)
        {
            args.Partial[Grid.IdxX] = sum;
        }
    }

    /// <summary>One group: ds, which is the sum, or zero where the factor was cut.</summary>
    internal static void RunFinish(ScaleByExpArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        float sum = 0f;
        for (int i = Group.IdxX; i < args.Groups; i += Group.DimX)
        {
            sum += args.Partial[i];
        }

        sum = GroupReduction.Sum(shared, sum);
        if (Group.IdxX == 0)
        {
            float value = MathF.Exp(args.S[0]) > args.Limit ? 0f : sum;
            args.Gradient[0] = args.Accumulate != 0 ? args.Gradient[0] + value : value;
        }
    }
}
