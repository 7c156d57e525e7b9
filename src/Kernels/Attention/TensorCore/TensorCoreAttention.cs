using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Queues attention on the tensor cores. q, k, v and dOut are read where they lie when they are stored in bf16, else rounded in the workspace; o may be stored
/// in bf16, everything else is float32.
/// </summary>
internal sealed class TensorCoreAttention(GpuLauncher launcher) : IAttentionKernels
{
    internal static readonly GpuKernel<TensorCoreAttentionArguments> ForwardKernel = Define("forward", TensorCoreAttentionForward.Run<FloatOutput>);

    /// <summary>For o stored in bf16.</summary>
    internal static readonly GpuKernel<TensorCoreAttentionArguments> StoredForwardKernel = Define("forward" + Bf16Output.Suffix, TensorCoreAttentionForward.Run<Bf16Output>);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> QueriesKernel = Define("queries", TensorCoreAttentionBackward.Queries<FloatOutput>);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> KeysKernel = Define("keys", TensorCoreAttentionBackward.Keys<FloatOutput>);

    /// <summary>For gradients stored in bf16.</summary>
    internal static readonly GpuKernel<TensorCoreAttentionArguments> StoredQueriesKernel = Define("queries" + Bf16Output.Suffix, TensorCoreAttentionBackward.Queries<Bf16Output>);

    internal static readonly GpuKernel<TensorCoreAttentionArguments> StoredKeysKernel = Define("keys" + Bf16Output.Suffix, TensorCoreAttentionBackward.Keys<Bf16Output>);

    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var args = Packed(launcher, Common(sizes, o, logSumExp), q, k, v, null);
        args.O = Pairs(o, logSumExp);
        launcher.Launch(o.Data.IsBf16 ? StoredForwardKernel : ForwardKernel, Groups(sizes.Queries), sizes.Heads, sizes.Batch, args);
    }

    /// <inheritdoc/>
    public void Backward(
        in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp, TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View scratch)
    {
        // What is read or written as bf16 is found elsewhere than the floats that stand for it here.
        bool stored = dq.Data.IsBf16;
        TokenRows Floats(TokenRows rows) => rows.Data.IsBf16 ? rows with { Data = logSumExp } : rows;
        var common = Common(sizes, o, logSumExp).WithGradients(Floats(dOut), Floats(dq), Floats(dk), Floats(dv), scratch);
        if (stored)
        {
            common = common with { Dq = Stored(common.Dq, dq), Dk = Stored(common.Dk, dk), Dv = Stored(common.Dv, dv) };
        }

        var args = Packed(launcher, common, q, k, v, dOut);
        args.O = Pairs(o, logSumExp);
        TensorCoreAttentionDelta.Launch(launcher, args, o.Data.IsBf16);
        launcher.Launch(stored ? StoredQueriesKernel : QueriesKernel, Groups(sizes.Queries), sizes.Heads, sizes.Batch, args);
        launcher.Launch(stored ? StoredKeysKernel : KeysKernel, Groups(sizes.Keys), sizes.Heads, sizes.Batch, args);
    }

    private static GpuTokenRows Stored(GpuTokenRows rows, TokenRows stored) => new(stored.Data.GpuBf16.Cast<float>(), rows.BatchStride, rows.RowStride);

    /// <summary>The inputs in bf16.</summary>
    internal static TensorCoreAttentionArguments Packed(GpuLauncher launcher, in GpuAttentionArguments common, TokenRows q, TokenRows k, TokenRows v, TokenRows? dOut)
    {
        Bf16Matrix rowsQ = Matrix(common, q, common.Queries), rowsK = Matrix(common, k, common.Keys), rowsV = Matrix(common, v, common.Keys);
        Bf16Matrix rowsDout = dOut is { } gradient ? Matrix(common, gradient, common.Queries) : default;
        long at = 0;
        var workspace = launcher.Workspace.Bytes(rowsQ.PackedBytes + rowsK.PackedBytes + rowsV.PackedBytes + rowsDout.PackedBytes);
        launcher.Packs.Begin();
        var packedQ = rowsQ.Packed(launcher, workspace, ref at);
        var args = new TensorCoreAttentionArguments
        {
            Common = common,
            Q = packedQ,
            RowQ = rowsQ.RowChunks,
            K = rowsK.Packed(launcher, workspace, ref at),
            RowK = rowsK.RowChunks,
            V = rowsV.Packed(launcher, workspace, ref at),
            RowV = rowsV.RowChunks,
            Dout = dOut is null ? packedQ : rowsDout.Packed(launcher, workspace, ref at),
            RowDout = rowsDout.RowChunks,
            O = packedQ.Cast<uint>(),
        };
        launcher.Packs.Flush();
        return args;
    }

    // The kernels read q, k and v from elsewhere, and o too where it is bf16: there any floats stand for it, with its strides.
    private GpuAttentionArguments Common(in AttentionSizes sizes, TokenRows o, View logSumExp)
    {
        var rows = o.Data.IsBf16 ? o with { Data = logSumExp } : o;
        return GpuAttention.Arguments(launcher, sizes, rows, rows, rows, rows, logSumExp);
    }

    private static ArrayView<uint> Pairs(TokenRows o, View logSumExp) => o.Data.IsBf16 ? o.Data.GpuBf16.Cast<uint>() : logSumExp.GpuFloats.Cast<uint>();

    private static Bf16Matrix Matrix(in GpuAttentionArguments common, TokenRows rows, int tokens)
    {
        var matrix = Bf16Matrix.Of(rows.Data, tokens, common.Heads * TensorCoreTile.HeadDim, rows.RowStride, rows.BatchStride, common.Batch);
        return !rows.Data.IsBf16 || rows.BatchStride == (long)tokens * rows.RowStride
            ? matrix
            : throw new ArgumentException($"attention: bf16 tokens {rows.RowStride} apart and pictures {rows.BatchStride}, expected {tokens} tokens a picture without gaps");
    }

    private static int Groups(int tokens) => GpuSizes.Groups(tokens, TensorCoreAttentionForward.Tile);

    private static GpuKernel<TensorCoreAttentionArguments> Define(string name, Action<TensorCoreAttentionArguments> method) =>
        new("attention.bf16_" + name, method, TensorCoreAttentionForward.Threads)
        {
            CudaOnly = true,
            SharedBytes = TensorCoreAttentionForward.SharedChunks * 16,
            GroupsPerMultiprocessor = 2,
        };
}
