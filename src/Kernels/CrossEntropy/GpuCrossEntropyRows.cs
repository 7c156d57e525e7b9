using ILGPU;
using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.CrossEntropy;

internal readonly struct RowArgs
{
    internal ArrayView<float> Logits { get; init; }

    internal ArrayView<int> Targets { get; init; }

    internal ArrayView<float> LogSumExp { get; init; }

    internal ArrayView<float> Loss { get; init; }

    internal ArrayView<float> LossGradient { get; init; }

    internal ArrayView<float> Dlogits { get; init; }

    internal int Rows { get; init; }

    internal int Columns { get; init; }

    /// <summary>1 to add to dlogits.</summary>
    internal int Accumulate { get; init; }
}

/// <summary>Softmax cross-entropy, one group a row, and the mean of the rows in one group. NaN in a row shows in the loss; limited by memory.</summary>
internal static class GpuCrossEntropyRows
{
    internal const int GroupSize = 128;
    internal const int SharedFloats = GroupSize + 16;

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
            args.LogSumExp[row] = max + MathF.Log(sum);
        }
    }

    /// <summary>loss = mean of logSumExp - logit of the target; one group.</summary>
    internal static void RunMean(RowArgs args)
    {
        var shared = SharedMemory.Allocate1D<float>(SharedFloats);
        float sum = 0f;
        for (int row = Group.IdxX; row < args.Rows; row += Group.DimX)
        {
            // A target outside the row must not read foreign memory: the loss says so instead.
            int target = args.Targets[row];
            bool inside = target >= 0 && target < args.Columns;
            sum += inside ? args.LogSumExp[row] - args.Logits[(row * args.Columns) + target] : float.NaN;
        }

        sum = GroupReduction.Sum(shared, sum);
        if (Group.IdxX == 0)
        {
            args.Loss[0] = sum / args.Rows;
        }
    }

    /// <summary>Item (row, i): (softmax - one hot) / rows * lossGradient.</summary>
    internal static void RunBackward(RowArgs args)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item < args.Rows * args.Columns)
        {
            int row = item / args.Columns, i = item - (row * args.Columns);
            float scale = args.LossGradient[0] / args.Rows;
            float value = MathF.Exp(args.Logits[item] - args.LogSumExp[row]) - (args.Targets[row] == i ? 1f : 0f);
            args.Dlogits[item] = args.Accumulate != 0 ? args.Dlogits[item] + (value * scale) : value * scale;
        }
    }

    private static GpuKernel<RowArgs> Define(string name, Action<RowArgs> method) =>
        new("crossentropy." + name, method, GroupSize) { AnyGroup = true, SharedBytes = SharedFloats * sizeof(float) };
}
