using ILGPU;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Attention;

/// <summary>Queues attention on the tensor cores: q, k, v and dOut are rounded to bf16 in the workspace, everything else is float32.</summary>
internal sealed class TensorCoreAttention(GpuLauncher launcher) : IAttentionKernels
{
    internal static readonly GpuKernel<TensorCoreAttentionArguments> ForwardKernel = Define("forward", TensorCoreAttentionForward.Run);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> QueriesKernel = Define("queries", TensorCoreAttentionBackward.Queries);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> KeysKernel = Define("keys", TensorCoreAttentionBackward.Keys);

    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var args = Packed(launcher, GpuAttention.Arguments(sizes, q, k, v, o, logSumExp), q, k, v, null);
        launcher.Launch(ForwardKernel, Groups(sizes.Queries), sizes.Heads, sizes.Batch, args);
    }

    /// <inheritdoc/>
    public void Backward(
        in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp, TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View scratch)
    {
        var common = GpuAttention.Arguments(sizes, q, k, v, o, logSumExp).WithGradients(dOut, dq, dk, dv, scratch);
        var args = Packed(launcher, common, q, k, v, dOut);
        TensorCoreAttentionDelta.Launch(launcher, args);
        launcher.Launch(QueriesKernel, Groups(sizes.Queries), sizes.Heads, sizes.Batch, args);
        launcher.Launch(KeysKernel, Groups(sizes.Keys), sizes.Heads, sizes.Batch, args);
    }

    /// <summary>Rounds the inputs to bf16 in the workspace.</summary>
    internal static TensorCoreAttentionArguments Packed(GpuLauncher launcher, in GpuAttentionArguments common, TokenRows q, TokenRows k, TokenRows v, TokenRows? dOut)
    {
        long queries = Chunks(common, common.Queries), keys = Chunks(common, common.Keys), at = 0;
        var workspace = launcher.Workspace.Bytes((2 * (queries + keys)) * 16).GpuBytes.Cast<Bf16x8>();
        var packedQ = Pack(launcher, workspace, ref at, q, common, common.Queries);
        return new TensorCoreAttentionArguments
        {
            Common = common,
            Q = packedQ,
            K = Pack(launcher, workspace, ref at, k, common, common.Keys),
            V = Pack(launcher, workspace, ref at, v, common, common.Keys),
            Dout = dOut is { } rows ? Pack(launcher, workspace, ref at, rows, common, common.Queries) : packedQ,
        };
    }

    private static ArrayView<Bf16x8> Pack(GpuLauncher launcher, ArrayView<Bf16x8> workspace, ref long at, TokenRows rows, in GpuAttentionArguments common, int tokens)
    {
        long count = Chunks(common, tokens);
        var target = workspace.SubView(at, count);
        at += count;
        int chunks = GpuSizes.Index(count, PackBf16.Kernel);
        launcher.LaunchItems(PackBf16.Kernel, chunks, new PackArgs
        {
            Source = rows.Data.GpuFloats,
            Target = target,
            Rows = tokens,
            Columns = common.Heads * TensorCoreTile.HeadDim,
            Row = rows.RowStride,
            Matrix = checked((int)rows.BatchStride),
            Chunks = chunks,
            Aligned = (rows.Data.Offset | rows.BatchStride | (uint)rows.RowStride) % 4 == 0 ? 1 : 0,
        });
        return target;
    }

    private static long Chunks(in GpuAttentionArguments common, int tokens) => (long)common.Batch * tokens * common.Heads * TensorCoreTile.TokenChunks;

    private static int Groups(int tokens) => GpuSizes.Groups(tokens, TensorCoreAttentionForward.Tile);

    private static GpuKernel<TensorCoreAttentionArguments> Define(string name, Action<TensorCoreAttentionArguments> method) =>
        new("attention.bf16_" + name, method, TensorCoreAttentionForward.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreAttentionForward.SharedChunks * 16,
            GroupsPerMultiprocessor = 2,
        };
}
