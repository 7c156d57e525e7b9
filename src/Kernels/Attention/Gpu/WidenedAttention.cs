using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>
/// Lets float32 kernels do an attention whose q, k, v and o are stored in 16 bits: inputs are widened into the workspace (exactly), o is rounded from
/// there. For head dimensions other than 64, and devices where a tensor-core kernel has failed its check. Gradients that are stored scaled stay so:
/// they depend on dOut linearly.
/// </summary>
internal sealed class WidenedAttention(GpuLauncher launcher, IAttentionKernels portable) : IAttentionKernels
{
    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        if (!q.Data.IsHalf && !k.Data.IsHalf && !v.Data.IsHalf && !o.Data.IsHalf)
        {
            portable.Forward(sizes, q, k, v, o, logSumExp);
            return;
        }

        HalfMatrix rowsQ = Matrix(sizes, q, sizes.Queries), rowsK = Matrix(sizes, k, sizes.Keys), rowsV = Matrix(sizes, v, sizes.Keys),
            rowsO = Matrix(sizes, o, sizes.Queries);
        var workspace = launcher.Workspace.Floats(rowsQ.WidenedFloats + rowsK.WidenedFloats + rowsV.WidenedFloats + rowsO.WidenedFloats);
        long at = 0;
        HalfMatrix wideQ = rowsQ.Widened(launcher, workspace, ref at), wideK = rowsK.Widened(launcher, workspace, ref at);
        HalfMatrix wideV = rowsV.Widened(launcher, workspace, ref at), wideO = rowsO.Target(workspace, ref at);
        portable.Forward(sizes, Rows(wideQ), Rows(wideK), Rows(wideV), Rows(wideO), logSumExp);
        rowsO.Narrow(launcher, wideO);
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
        HalfMatrix rowsQ = Matrix(sizes, q, sizes.Queries), rowsK = Matrix(sizes, k, sizes.Keys), rowsV = Matrix(sizes, v, sizes.Keys),
            rowsO = Matrix(sizes, o, sizes.Queries);
        HalfMatrix rowsDout = Matrix(sizes, dOut, sizes.Queries), gradients = Gradients(sizes, dq, dk, dv);
        long floats = rowsQ.WidenedFloats + rowsK.WidenedFloats + rowsV.WidenedFloats + rowsO.WidenedFloats + rowsDout.WidenedFloats
            + gradients.WidenedFloats, at = 0;
        var workspace = floats == 0 ? default : launcher.Workspace.Floats(floats);
        var wide = gradients.Target(workspace, ref at);
        TokenRows Wide(TokenRows rows) => rows.Data.IsHalf ? rows with { Data = wide.Data.Shift(rows.Data.Offset - dq.Data.Offset) } : rows;
        portable.Backward(
            sizes,
            Rows(rowsQ.Widened(launcher, workspace, ref at)),
            Rows(rowsK.Widened(launcher, workspace, ref at)),
            Rows(rowsV.Widened(launcher, workspace, ref at)),
            Rows(rowsO.Widened(launcher, workspace, ref at)),
            logSumExp,
            Rows(rowsDout.Widened(launcher, workspace, ref at)),
            Wide(dq),
            Wide(dk),
            Wide(dv),
            scratch);
        gradients.Narrow(launcher, wide);
    }

    // Gradients stored in 16 bits are column blocks of one matrix, dq the first.
    private static HalfMatrix Gradients(in AttentionSizes sizes, TokenRows dq, TokenRows dk, TokenRows dv)
    {
        int width = sizes.Heads * sizes.HeadDim, row = dq.RowStride;
        if (!dq.Data.IsHalf)
        {
            return new HalfMatrix(dq.Data, sizes.Batch * sizes.Queries, width, row, 0, 1);
        }

        bool blocks = sizes.Queries == sizes.Keys && row == 3 * width && dq.BatchStride == (long)sizes.Queries * row
            && dk.Data == dq.Data.Shift(width) && dv.Data == dq.Data.Shift(2 * width);
        return blocks
            ? new HalfMatrix(dq.Data, sizes.Batch * sizes.Queries, row, row, 0, 1)
            : throw new ArgumentException(
                "attention: gradients of 16 bits of queries, keys and values, expected them side by side in rows without gaps");
    }

    private static HalfMatrix Matrix(in AttentionSizes sizes, TokenRows rows, int tokens) =>
        HalfMatrix.Of(rows.Data, tokens, sizes.Heads * sizes.HeadDim, rows.RowStride, rows.BatchStride, sizes.Batch);

    private static TokenRows Rows(HalfMatrix matrix) => new(matrix.Data, matrix.Stride, matrix.Row);
}
