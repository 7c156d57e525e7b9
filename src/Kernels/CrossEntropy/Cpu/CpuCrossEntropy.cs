using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.CrossEntropy.Cpu;

/// <summary>CPU softmax cross-entropy: rows in tiles for log-sum-exp and gradient, the mean over rows in row order and double precision.</summary>
internal sealed unsafe class CpuCrossEntropy(CpuThreads threads) : ICrossEntropyKernels
{
    public void Forward(View logits, View targets, View statistics, View loss, int rows, int columns, int ignored)
    {
        var a = new CrossEntropyArguments
        {
            Logits = logits.Floats,
            Targets = targets.Ints,
            LogSumExp = statistics.Floats,
            Rows = rows,
            Columns = columns,
            Tiles = Tiling.Count(rows, columns),
        };
        CheckTargets(a.Targets, rows, columns, ignored);
        SimdDispatch.For<CrossEntropyForward, CrossEntropyArguments>(threads, a.Tiles, &a);
        double total = 0;
        long counted = 0;
        for (long row = 0; row < rows; row++)
        {
            if (a.Targets[row] != ignored)
            {
                total += a.LogSumExp[row] - a.Logits[(row * columns) + a.Targets[row]];
                counted++;
            }
        }

        a.LogSumExp[rows] = (float)(1.0 / counted);
        loss.Floats[0] = (float)(total / counted);
    }

    public void Backward(
        View logits, View targets, View statistics, View lossGradient, View dlogits, bool accumulate, int rows, int columns, int ignored)
    {
        var a = new CrossEntropyArguments
        {
            Logits = logits.Floats,
            Targets = targets.Ints,
            LogSumExp = statistics.Floats,
            Dlogits = dlogits.Floats,
            Scale = lossGradient.Floats[0] * statistics.Floats[rows],
            Accumulate = accumulate,
            Rows = rows,
            Columns = columns,
            Ignored = ignored,
            Tiles = Tiling.Count(rows, columns),
        };
        CheckTargets(a.Targets, rows, columns, ignored);
        SimdDispatch.For<CrossEntropyBackward, CrossEntropyArguments>(threads, a.Tiles, &a);
    }

    // A target outside the row would read, and in the backward write, foreign memory.
    private static void CheckTargets(int* targets, int rows, int columns, int ignored)
    {
        for (int row = 0; row < rows; row++)
        {
            if ((uint)targets[row] >= (uint)columns && targets[row] != ignored)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(targets), $"cross_entropy: target {targets[row]} of row {row} must be 0..{columns - 1}, or {ignored} for none");
            }
        }
    }
}

internal readonly unsafe struct CrossEntropyForward : ITileKernel<CrossEntropyArguments>
{
    public static void Tile<S, V>(CrossEntropyArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct =>
        CpuCrossEntropyRows<S, V>.Forward(a, tile, worker);
}

internal readonly unsafe struct CrossEntropyBackward : ITileKernel<CrossEntropyArguments>
{
    public static void Tile<S, V>(CrossEntropyArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct =>
        CpuCrossEntropyRows<S, V>.Backward(a, tile, worker);
}
