using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Optimizer.Gpu;

internal readonly struct AdamWArgs
{
    internal ChunkViews Chunks { get; init; }

    internal ArrayView<int> Table { get; init; }

    internal int Rows { get; init; }

    /// <summary>A <see cref="StepState"/>.</summary>
    internal ArrayView<float> State { get; init; }

    internal float Beta1 { get; init; }

    internal float Beta2 { get; init; }

    internal float Epsilon { get; init; }
}

/// <summary>The numbers of a step, in registers.</summary>
internal struct AdamWNumbers
{
    internal float Shrink;
    internal float StepSize;
    internal float InverseRootCorrection;
    internal float GradientScale;
    internal float Clip;
}

/// <summary>A weight with its moments, before or after a step.</summary>
internal struct AdamWState
{
    internal float Weight;
    internal float First;
    internal float Second;
}

/// <summary>
/// AdamW over all parameters in one launch: each group finds its tensor in the table and updates 4096 elements of it, four at a time. 28 bytes an
/// element: weight, gradient and two moments read, all but the gradient written; limited by memory.
/// </summary>
internal static class GpuAdamW
{
    internal static readonly GpuKernel<AdamWArgs> Kernel = new("optimizer.adamw", Run, OptimizerPlan.GpuThreads) { AnyGroup = true };

    internal static void Run(AdamWArgs args)
    {
        var table = args.Table;
        int row = GpuTensorTable.Find(table, args.Rows, Grid.IdxX), at = row * GpuTensorTable.RowLength;
        int count = table[at + GpuTensorTable.Elements];
        int start = (Grid.IdxX - table[at + GpuTensorTable.FirstGroup]) * GpuPlan.TableElements;
        int end = IntrinsicMath.Min(count, start + GpuPlan.TableElements);
        AdamWNumbers numbers;
        numbers.Shrink = 1f - (args.State[StepState.LearningRate] * table.Cast<float>()[at + GpuTensorTable.Extra]);
        numbers.StepSize = args.State[StepState.StepSize];
        numbers.InverseRootCorrection = args.State[StepState.InverseRootCorrection];
        numbers.GradientScale = args.State[StepState.GradientScale];
        numbers.Clip = args.State[StepState.Clip];
        var weights = ChunkViews.Pick(args.Chunks, table[at + 4]);
        var gradients = ChunkViews.Pick(args.Chunks, table[at + 6]);
        var first = ChunkViews.Pick(args.Chunks, table[at + 8]);
        var second = ChunkViews.Pick(args.Chunks, table[at + 10]);
        int w = table[at + 5], g = table[at + 7], m = table[at + 9], v = table[at + 11];
        int single = start + Group.IdxX;
        if (table[at + GpuTensorTable.Packed] != 0)
        {
            var weights4 = weights.Cast<Float4>();
            var gradients4 = gradients.Cast<Float4>();
            var first4 = first.Cast<Float4>();
            var second4 = second.Cast<Float4>();
            for (int i = (start >> 2) + Group.IdxX; i < end >> 2; i += Group.DimX)
            {
                Float4 old = weights4[(w >> 2) + i], gradient = gradients4[(g >> 2) + i], means = first4[(m >> 2) + i],
                    squares = second4[(v >> 2) + i];
                var x = Step(args, numbers, old.X, gradient.X, means.X, squares.X);
                var y = Step(args, numbers, old.Y, gradient.Y, means.Y, squares.Y);
                var z = Step(args, numbers, old.Z, gradient.Z, means.Z, squares.Z);
                var last = Step(args, numbers, old.W, gradient.W, means.W, squares.W);
                weights4[(w >> 2) + i] = new Float4(x.Weight, y.Weight, z.Weight, last.Weight);
                first4[(m >> 2) + i] = new Float4(x.First, y.First, z.First, last.First);
                second4[(v >> 2) + i] = new Float4(x.Second, y.Second, z.Second, last.Second);
            }

            single = (end & ~3) + Group.IdxX;
        }

        for (int i = single; i < end; i += Group.DimX)
        {
            var next = Step(args, numbers, weights[w + i], gradients[g + i], first[m + i], second[v + i]);
            weights[w + i] = next.Weight;
            first[m + i] = next.First;
            second[v + i] = next.Second;
        }
    }

    private static AdamWState Step(in AdamWArgs args, AdamWNumbers numbers, float weight, float gradient, float first, float second)
    {
        float g = gradient * numbers.Clip * numbers.GradientScale;
        float m = (args.Beta1 * first) + ((1f - args.Beta1) * g);
        float v = (args.Beta2 * second) + ((1f - args.Beta2) * (g * g));
        float denominator = (MathF.Sqrt(v) * numbers.InverseRootCorrection) + args.Epsilon;
        return new AdamWState { Weight = (weight * numbers.Shrink) - (m * numbers.StepSize / denominator), First = m, Second = v };
    }
}
