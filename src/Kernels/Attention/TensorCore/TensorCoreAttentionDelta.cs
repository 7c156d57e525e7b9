using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Row sums of dOut * o, dOut as the products see it: rounded. Where a query sees one key the gradient of its score is then zero, not a rounding error.
/// Eight lanes a row, 16 and 32 bytes each: limited by memory.
/// </summary>
internal static class TensorCoreAttentionDelta
{
    private const int Threads = 256;

    internal static readonly GpuKernel<TensorCoreAttentionArguments> Kernel = Define<FloatOutput>();

    /// <summary>For o stored in bf16.</summary>
    internal static readonly GpuKernel<TensorCoreAttentionArguments> StoredKernel = Define<Bf16Output>();

    internal static void Launch(GpuLauncher launcher, in TensorCoreAttentionArguments args, bool stored = false)
    {
        var p = args.Common;
        launcher.LaunchItems(stored ? StoredKernel : Kernel, GpuSizes.Index((long)p.Batch * p.Queries * p.Heads * TensorCoreTile.TokenChunks, Kernel), args);
    }

    internal static void Run<TOutput>(TensorCoreAttentionArguments arguments)
        where TOutput : struct, ITensorCoreOutput
    {
        var p = arguments.Common;
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX, count = p.Batch * p.Queries * p.Heads * TensorCoreTile.TokenChunks;

        // Lanes past the end add the last row again and store nothing: all meet in the shuffles.
        int at = IntrinsicMath.Min(i, count - 1), row = at / TensorCoreTile.TokenChunks, chunk = at & (TensorCoreTile.TokenChunks - 1);
        int token = row / p.Heads, head = row - (token * p.Heads), batch = token / p.Queries;
        token -= batch * p.Queries;
        int o = (batch * p.O.BatchStride) + (token * p.O.RowStride) + (head * TensorCoreTile.HeadDim) + (chunk * 8);
        Bf16x8 dOut = arguments.Dout[(((batch * p.Queries) + token) * arguments.RowDout) + (head * TensorCoreTile.TokenChunks) + chunk];
        float sum = Pair(dOut.X, TOutput.Load(arguments, o)) + Pair(dOut.Y, TOutput.Load(arguments, o + 2))
            + Pair(dOut.Z, TOutput.Load(arguments, o + 4)) + Pair(dOut.W, TOutput.Load(arguments, o + 6));
        sum += Warp.ShuffleXor(sum, 1);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 4);
        if (i < count && chunk == 0)
        {
            p.Delta[(((batch * p.Heads) + head) * p.Queries) + token] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Pair(uint dOut, FloatPair o) => (Bf16.Low(dOut) * o.X) + (Bf16.High(dOut) * o.Y);

    private static GpuKernel<TensorCoreAttentionArguments> Define<TOutput>()
        where TOutput : struct, ITensorCoreOutput => new("attention.bf16_delta" + TOutput.Suffix, Run<TOutput>, Threads) { AnyGroup = true, CudaOnly = true };
}
