using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.CrossEntropy.Gpu;

internal readonly struct RowArgs
{
    internal ArrayView<float> Logits { get; init; }

    internal ArrayView<int> Targets { get; init; }

    /// <summary>Log-sum-exp of each row, then one over the number of rows that count.</summary>
    internal ArrayView<float> Statistics { get; init; }

    internal ArrayView<float> Loss { get; init; }

    internal ArrayView<float> LossGradient { get; init; }

    internal ArrayView<float> Dlogits { get; init; }

    internal int Rows { get; init; }

    internal int Columns { get; init; }

    /// <summary>The target of rows that do not count.</summary>
    internal int Ignored { get; init; }

    /// <summary>1 to add to dlogits.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>
/// Softmax cross-entropy, one group a row, and the mean of the rows in one group. NaN in a row shows in the loss; limited by memory.
/// </summary>
internal static class GpuCrossEntropyRows
{
    private const int GroupSize = CrossEntropyPlan.GpuThreads;
    private const int SharedFloats = GroupSize + GpuPlan.ReductionParts;

    internal static readonly GpuKernel<RowArgs> Forward = Define("forward", RunForward);
    internal static readonly GpuKernel<RowArgs> Mean = Define("mean", RunMean);
    internal static readonly GpuKernel<RowArgs> Backward = new("crossentropy.backward", RunBackward, GroupSize) { AnyGroup = true };

    /// <summary>Log-sum-exp of row IdxX around its largest value.</summary>
    internal static void RunForward(RowArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        int row = Grid.IdxX, first = row * args.Columns;
        float max = float.NegativeInfinity;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            max = MathF.Max(max, args.Logits[first + i]);
        }

        max = GroupReduction.Max(shared, max);
        float sum = 0f;
        for (int i = Group.IdxX; i < args.Columns; i += Group.DimX)
        {
            sum += MathF.Exp(args.Logits[first + i] - max);
        }

        sum = GroupReduction.Sum(shared, sum);
        if (Group.IdxX == 0)
        {
            args.Statistics[row] = max + MathF.Log(sum);
        }
    }

    /// <summary>loss = mean of log-sum-exp - logit of the target over the rows that count; one group.</summary>
    internal static void RunMean(RowArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        float sum = 0f, counted = 0f;
        for (int row = Group.IdxX; row < args.Rows; row += Group.DimX)
        {
            int target = args.Targets[row];
            if (target != args.Ignored)
            {
                // A target outside the row must not read foreign memory: the loss says so instead.
                bool inside = target >= 0 && target < args.Columns;
                sum += inside ? args.Statistics[row] - args.Logits[(row * args.Columns) + target] : float.NaN;
                counted += 1f;
            }
        }

        sum = GroupReduction.Sum(shared, sum);
        counted = GroupReduction.Sum(shared, counted);
        if (Group.IdxX == 0)
        {
            args.Loss[0] = sum / counted;
            args.Statistics[args.Rows] = 1f / counted;
        }
    }

    /// <summary>Item (row, i): (softmax - one hot) / rows that count * lossGradient.</summary>
    internal static void RunBackward(RowArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Rows * args.Columns)
        {
            int row = item / args.Columns, i = item - (row * args.Columns);
            int target = args.Targets[row];
            float scale = args.LossGradient[0] * args.Statistics[args.Rows];
            float slope = (MathF.Exp(args.Logits[item] - args.Statistics[row]) - (target == i ? 1f : 0f)) * scale;
            float value = target == args.Ignored ? 0f : slope;
            args.Dlogits[item] = args.Accumulate != 0 ? args.Dlogits[item] + value : value;
        }
    }

    private static GpuKernel<RowArgs> Define(string name, Action<RowArgs> method) =>
        new("crossentropy." + name, method, GroupSize) { AnyGroup = true, SharedBytes = SharedFloats * sizeof(float) };
}
