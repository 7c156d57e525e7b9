using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;

namespace Ldvc.Kernels.Attention;

/// <summary>
/// Row sums of dOut * o, dOut as the products see it: rounded. Where a query sees one key the gradient of its score is then zero, not a rounding error.
/// Eight lanes a row, 16 and 32 bytes each: limited by memory.
/// </summary>
internal static class TensorCoreAttentionDelta
{
    private const int Threads = 256;

    internal static readonly GpuKernel<TensorCoreAttentionArguments> Kernel = new("attention.bf16_delta", Run, Threads) { AnyGroup = true, CudaOnly = true };

    internal static void Launch(GpuLauncher launcher, in TensorCoreAttentionArguments args)
    {
        var p = args.Common;
        launcher.LaunchItems(Kernel, GpuSizes.Index((long)p.Batch * p.Queries * p.Heads * TensorCoreTile.TokenChunks, Kernel), args);
    }

    internal static void Run(TensorCoreAttentionArguments arguments)
    {
        var p = arguments.Common;
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX, count = p.Batch * p.Queries * p.Heads * TensorCoreTile.TokenChunks;

        // Lanes past the end add the last row again and store nothing: all meet in the shuffles.
        int at = IntrinsicMath.Min(i, count - 1), row = at / TensorCoreTile.TokenChunks, chunk = at % TensorCoreTile.TokenChunks;
        int head = row % p.Heads, token = row / p.Heads, batch = token / p.Queries;
        token -= batch * p.Queries;
        int o = (batch * p.O.BatchStride) + (token * p.O.RowStride) + (head * TensorCoreTile.HeadDim) + (chunk * 8);
        Bf16x8 dOut = arguments.Dout[at];
        float sum = Pair(dOut.X, p.O.Data, o) + Pair(dOut.Y, p.O.Data, o + 2) + Pair(dOut.Z, p.O.Data, o + 4) + Pair(dOut.W, p.O.Data, o + 6);
        sum += Warp.ShuffleXor(sum, 1);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 4);
        if (i < count && chunk == 0)
        {
            p.Delta[(((batch * p.Heads) + head) * p.Queries) + token] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Pair(uint dOut, ArrayView<float> o, int at)
    {
        FloatPair pair = o.Cast<FloatPair>()[at / 2];
        return (Bf16.Low(dOut) * pair.X) + (Bf16.High(dOut) * pair.Y);
    }
}
