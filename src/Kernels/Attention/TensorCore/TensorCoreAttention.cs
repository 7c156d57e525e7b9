using ILGPU;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Reduction.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Attention.TensorCore;

/// <summary>
/// Queues attention on the tensor cores, in bf16 or fp16. q, k, v and dOut are read where they lie when they are stored so, else rounded in the
/// workspace; o and the gradients may be stored so, everything else is float32.
/// </summary>
internal sealed class TensorCoreAttention(GpuLauncher launcher, DType half = DType.BFloat16) : IAttentionKernels
{
    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        var args = Packed(launcher, half, Common(sizes, o, logSumExp), q, k, v, null);
        args.O = Pairs(o, logSumExp);
        launcher.Launch(
            TensorCoreAttentionKernels.Get(half, AttentionStep.Forward, o.Data.IsHalf), Groups(sizes.Queries), sizes.Heads, sizes.Batch, args);
    }

    /// <inheritdoc/>
    public void Backward(
        in AttentionSizes sizes,
        TokenRows q,
        TokenRows k,
        TokenRows v,
        TokenRows o,
        View logSumExp,
        TokenRows dOut,
        TokenRows dq,
        TokenRows dk,
        TokenRows dv,
        View scratch)
    {
        // What is read or written in 16 bits is found elsewhere than the floats that stand for it here.
        bool stored = dq.Data.IsHalf;
        TokenRows Floats(TokenRows rows) => rows.Data.IsHalf ? rows with { Data = logSumExp } : rows;
        var common = Common(sizes, o, logSumExp).WithGradients(Floats(dOut), Floats(dq), Floats(dk), Floats(dv), scratch);
        if (stored)
        {
            common = common with { Dq = Stored(common.Dq, dq), Dk = Stored(common.Dk, dk), Dv = Stored(common.Dv, dv) };
        }

        var args = Packed(launcher, half, common, q, k, v, dOut);
        args.O = Pairs(o, logSumExp);
        TensorCoreAttentionDelta.Launch(launcher, args, half, o.Data.IsHalf);
        launcher.Launch(TensorCoreAttentionKernels.Get(half, AttentionStep.Queries, stored), Groups(sizes.Queries), sizes.Heads, sizes.Batch, args);
        launcher.Launch(TensorCoreAttentionKernels.Get(half, AttentionStep.Keys, stored), Groups(sizes.Keys), sizes.Heads, sizes.Batch, args);
    }

    private static GpuTokenRows Stored(GpuTokenRows rows, TokenRows stored) =>
        new(stored.Data.GpuHalves.Cast<float>(), rows.BatchStride, rows.RowStride);

    /// <summary>The inputs in 16 bits; a float32 dOut in fp16 is scaled, so that small gradients do not vanish.</summary>
    internal static TensorCoreAttentionArguments Packed(
        GpuLauncher launcher, DType half, in GpuAttentionArguments common, TokenRows q, TokenRows k, TokenRows v, TokenRows? dOut)
    {
        HalfMatrix rowsQ = Matrix(common, q, common.Queries), rowsK = Matrix(common, k, common.Keys), rowsV = Matrix(common, v, common.Keys);
        HalfMatrix rowsDout = dOut is { } gradient ? Matrix(common, gradient, common.Queries) : default;
        bool scaled = half == DType.Float16 && dOut is { Data.IsHalf: false };
        if (scaled)
        {
            rowsDout = rowsDout with { Scale = Scale(launcher, common, dOut!.Value) };
        }

        long at = 0;
        var workspace = launcher.Workspace.Bytes(rowsQ.PackedBytes + rowsK.PackedBytes + rowsV.PackedBytes + rowsDout.PackedBytes);
        launcher.Packs.Begin(half);
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
            Scale = scaled ? rowsDout.Scale.GpuFloats : common.LogSumExp,
            Scaled = scaled ? 1 : 0,
            Overflow = launcher.Half.OverflowOf(half, common.LogSumExp),
        };
        launcher.Packs.Flush();
        return args;
    }

    private static View Scale(GpuLauncher launcher, in GpuAttentionArguments common, TokenRows dOut)
    {
        long count = (long)common.Batch * common.Queries * common.Heads * TensorCoreTile.HeadDim;
        if (dOut.RowStride != common.Heads * TensorCoreTile.HeadDim || dOut.BatchStride != (long)common.Queries * dOut.RowStride)
        {
            throw new ArgumentException(
                $"attention: gradients of tokens {dOut.RowStride} apart and pictures {dOut.BatchStride}, expected {common.Queries} tokens a picture "
                    + "without gaps");
        }

        GpuGradientScale.Launch(launcher, dOut.Data, count, launcher.Half.Scale);
        return launcher.Half.Scale;
    }

    // The kernels read q, k and v from elsewhere, and o too where it is of 16 bits: there any floats stand for it, with its strides.
    private GpuAttentionArguments Common(in AttentionSizes sizes, TokenRows o, View logSumExp)
    {
        var rows = o.Data.IsHalf ? o with { Data = logSumExp } : o;
        return GpuAttention.Arguments(launcher, sizes, rows, rows, rows, rows, logSumExp);
    }

    private static ArrayView<uint> Pairs(TokenRows o, View logSumExp) =>
        o.Data.IsHalf ? o.Data.GpuHalves.Cast<uint>() : logSumExp.GpuFloats.Cast<uint>();

    private static HalfMatrix Matrix(in GpuAttentionArguments common, TokenRows rows, int tokens)
    {
        var matrix = HalfMatrix.Of(rows.Data, tokens, common.Heads * TensorCoreTile.HeadDim, rows.RowStride, rows.BatchStride, common.Batch);
        return !rows.Data.IsHalf || rows.BatchStride == (long)tokens * rows.RowStride
            ? matrix
            : throw new ArgumentException($"attention: {rows.Data.Type} tokens {rows.RowStride} apart and pictures {rows.BatchStride}, expected "
                + $"{tokens} tokens a picture without gaps");
    }

    private static int Groups(int tokens) => GpuSizes.Groups(tokens, TensorCoreAttentionForward.Tile);
}
