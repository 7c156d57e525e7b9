using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.CrossEntropy;

/// <summary>CPU softmax cross-entropy: rows in tiles for log-sum-exp and gradient, the mean over rows in row order and double precision.</summary>
internal sealed unsafe class CpuCrossEntropy(CpuThreads threads) : ICrossEntropyKernels
{
    public void Forward(View logits, View targets, View logSumExp, View loss, int rows, int columns)
    {
        var a = new CrossEntropyArguments
        {
            Logits = logits.Floats,
            Targets = targets.Ints,
            LogSumExp = logSumExp.Floats,
            Rows = rows,
            Columns = columns,
            Tiles = Tiling.Count(rows, columns),
        };
        CheckTargets(a.Targets, rows, columns);
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(a.Tiles, &a, &CpuCrossEntropyRows<Simd512, Vector512<float>>.Forward); break;
            case 256: threads.For(a.Tiles, &a, &CpuCrossEntropyRows<Simd256, Vector256<float>>.Forward); break;
            default: threads.For(a.Tiles, &a, &CpuCrossEntropyRows<Simd128, Vector128<float>>.Forward); break;
        }

        double total = 0;
        for (long row = 0; row < rows; row++)
        {
            total += a.LogSumExp[row] - a.Logits[(row * columns) + a.Targets[row]];
        }

        loss.Floats[0] = (float)(total / Math.Max(1, rows));
    }

    public void Backward(View logits, View targets, View logSumExp, View lossGradient, View dlogits, bool accumulate, int rows, int columns)
    {
        var a = new CrossEntropyArguments
        {
            Logits = logits.Floats,
            Targets = targets.Ints,
            LogSumExp = logSumExp.Floats,
            Dlogits = dlogits.Floats,
            Scale = lossGradient.Floats[0] / Math.Max(1, rows),
            Accumulate = accumulate,
            Rows = rows,
            Columns = columns,
            Tiles = Tiling.Count(rows, columns),
        };
        CheckTargets(a.Targets, rows, columns);
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(a.Tiles, &a, &CpuCrossEntropyRows<Simd512, Vector512<float>>.Backward); break;
            case 256: threads.For(a.Tiles, &a, &CpuCrossEntropyRows<Simd256, Vector256<float>>.Backward); break;
            default: threads.For(a.Tiles, &a, &CpuCrossEntropyRows<Simd128, Vector128<float>>.Backward); break;
        }
    }

    // A target outside the row would read, and in the backward write, foreign memory.
    private static void CheckTargets(int* targets, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            if ((uint)targets[row] >= (uint)columns)
            {
                throw new ArgumentOutOfRangeException(nameof(targets), $"cross_entropy: target {targets[row]} of row {row} is not in 0..{columns - 1}");
            }
        }
    }
}
