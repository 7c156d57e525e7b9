using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Row sums of dOut * o, dOut as the products see it: rounded. Where a query sees one key the gradient of its score is then zero, not a rounding
/// error. Eight lanes a row, 16 and 32 bytes each: limited by memory.
/// </summary>
internal static class TensorCoreAttentionDelta
{
    internal static void Launch(GpuLauncher launcher, in TensorCoreAttentionArguments args, DType half, bool stored = false)
    {
        var p = args.Common;
        var kernel = TensorCoreAttentionKernels.Get(half, AttentionStep.Delta, stored);
        launcher.LaunchItems(kernel, GpuSizes.Index((long)p.Batch * p.Queries * p.Heads * TensorCoreTile.TokenChunks, kernel), args);
    }

    internal static void Run<TOutput, TFormat>(TensorCoreAttentionArguments arguments)
        where TOutput : struct, ITensorCoreOutput
        where TFormat : struct, IHalfFormat
    {
        var p = arguments.Common;
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX, count = p.Batch * p.Queries * p.Heads * TensorCoreTile.TokenChunks;

        // Lanes past the end add the last row again and store nothing: all meet in the shuffles.
        int at = IntrinsicMath.Min(i, count - 1), row = at / TensorCoreTile.TokenChunks, chunk = at & (TensorCoreTile.TokenChunks - 1);
        int token = row / p.Heads, head = row - (token * p.Heads), batch = token / p.Queries;
        token -= batch * p.Queries;
        int o = (batch * p.O.BatchStride) + (token * p.O.RowStride) + (head * TensorCoreTile.HeadDim) + (chunk * 8);
        Halves8 dOut = arguments.Dout[(((batch * p.Queries) + token) * arguments.RowDout) + (head * TensorCoreTile.TokenChunks) + chunk];
        float sum = Pair<TFormat>(dOut.X, TOutput.Load<TFormat>(arguments, o)) + Pair<TFormat>(dOut.Y, TOutput.Load<TFormat>(arguments, o + 2))
            + Pair<TFormat>(dOut.Z, TOutput.Load<TFormat>(arguments, o + 4)) + Pair<TFormat>(dOut.W, TOutput.Load<TFormat>(arguments, o + 6));
        sum += Warp.ShuffleXor(sum, 1);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 4);
        if (i < count && chunk == 0)
        {
            p.Delta[(((batch * p.Heads) + head) * p.Queries) + token] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Pair<TFormat>(uint dOut, FloatPair o)
        where TFormat : struct, IHalfFormat => (TFormat.Low(dOut) * o.X) + (TFormat.High(dOut) * o.Y);

    internal static GpuKernel<TensorCoreAttentionArguments> Define<TOutput, TFormat>()
        where TOutput : struct, ITensorCoreOutput
        where TFormat : struct, IHalfFormat => new(
            $"attention.{TFormat.Name}_delta{TOutput.Suffix}", Run<TOutput, TFormat>, AttentionPlan.TensorCoreDeltaThreads)
        { AnyGroup = true, CudaOnly = true };
}
