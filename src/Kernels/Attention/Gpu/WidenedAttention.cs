using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention.Gpu;

/// <summary>
/// Lets float32 kernels do an attention whose q, k, v and o are stored in bf16: inputs are widened into the workspace (exactly), o is rounded from there. For head
/// dimensions other than 64, and devices where a tensor-core kernel has failed its check.
/// </summary>
internal sealed class WidenedAttention(GpuLauncher launcher, IAttentionKernels portable) : IAttentionKernels
{
    /// <inheritdoc/>
    public void Forward(in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp)
    {
        if (!q.Data.IsBf16 && !k.Data.IsBf16 && !v.Data.IsBf16 && !o.Data.IsBf16)
        {
            portable.Forward(sizes, q, k, v, o, logSumExp);
            return;
        }

        Bf16Matrix rowsQ = Matrix(sizes, q, sizes.Queries), rowsK = Matrix(sizes, k, sizes.Keys), rowsV = Matrix(sizes, v, sizes.Keys), rowsO = Matrix(sizes, o, sizes.Queries);
        var workspace = launcher.Workspace.Floats(rowsQ.WidenedFloats + rowsK.WidenedFloats + rowsV.WidenedFloats + rowsO.WidenedFloats);
        long at = 0;
        Bf16Matrix wideQ = rowsQ.Widened(launcher, workspace, ref at), wideK = rowsK.Widened(launcher, workspace, ref at);
        Bf16Matrix wideV = rowsV.Widened(launcher, workspace, ref at), wideO = rowsO.Target(workspace, ref at);
        portable.Forward(sizes, Rows(wideQ), Rows(wideK), Rows(wideV), Rows(wideO), logSumExp);
        rowsO.Narrow(launcher, wideO);
    }

    /// <inheritdoc/>
    public void Backward(
        in AttentionSizes sizes, TokenRows q, TokenRows k, TokenRows v, TokenRows o, View logSumExp, TokenRows dOut, TokenRows dq, TokenRows dk, TokenRows dv, View scratch)
    {
        Bf16Matrix rowsQ = Matrix(sizes, q, sizes.Queries), rowsK = Matrix(sizes, k, sizes.Keys), rowsV = Matrix(sizes, v, sizes.Keys), rowsO = Matrix(sizes, o, sizes.Queries);
        Bf16Matrix rowsDout = Matrix(sizes, dOut, sizes.Queries), gradients = Gradients(sizes, dq, dk, dv);
        long floats = rowsQ.WidenedFloats + rowsK.WidenedFloats + rowsV.WidenedFloats + rowsO.WidenedFloats + rowsDout.WidenedFloats + gradients.WidenedFloats, at = 0;
        var workspace = floats == 0 ? default : launcher.Workspace.Floats(floats);
        var wide = gradients.Target(workspace, ref at);
        TokenRows Wide(TokenRows rows) => rows.Data.IsBf16 ? rows with { Data = wide.Data.Shift(rows.Data.Offset - dq.Data.Offset) } : rows;
        portable.Backward(
            sizes, Rows(rowsQ.Widened(launcher, workspace, ref at)), Rows(rowsK.Widened(launcher, workspace, ref at)), Rows(rowsV.Widened(launcher, workspace, ref at)),
            Rows(rowsO.Widened(launcher, workspace, ref at)), logSumExp, Rows(rowsDout.Widened(launcher, workspace, ref at)), Wide(dq), Wide(dk), Wide(dv), scratch);
        gradients.Narrow(launcher, wide);
    }

    // Gradients stored in bf16 are column blocks of one matrix, dq the first.
    private static Bf16Matrix Gradients(in AttentionSizes sizes, TokenRows dq, TokenRows dk, TokenRows dv)
    {
        int width = sizes.Heads * sizes.HeadDim, row = dq.RowStride;
        if (!dq.Data.IsBf16)
        {
            return new Bf16Matrix(dq.Data, sizes.Batch * sizes.Queries, width, row, 0, 1);
        }

        bool blocks = sizes.Queries == sizes.Keys && row == 3 * width && dq.BatchStride == (long)sizes.Queries * row && dk.Data == dq.Data.Shift(width) && dv.Data == dq.Data.Shift(2 * width);
        return blocks
            ? new Bf16Matrix(dq.Data, sizes.Batch * sizes.Queries, row, row, 0, 1)
            : throw new ArgumentException("attention: bf16 gradients of queries, keys and values, expected them side by side in rows without gaps");
    }

    private static Bf16Matrix Matrix(in AttentionSizes sizes, TokenRows rows, int tokens) =>
        Bf16Matrix.Of(rows.Data, tokens, sizes.Heads * sizes.HeadDim, rows.RowStride, rows.BatchStride, sizes.Batch);

    private static TokenRows Rows(Bf16Matrix matrix) => new(matrix.Data, matrix.Stride, matrix.Row);
}
