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
        long floats = rowsQ.WidenedFloats + rowsK.WidenedFloats + rowsV.WidenedFloats + rowsO.WidenedFloats, at = 0;
        var workspace = floats == 0 ? default : launcher.Workspace.Floats(floats);
        portable.Backward(
            sizes, Rows(rowsQ.Widened(launcher, workspace, ref at)), Rows(rowsK.Widened(launcher, workspace, ref at)), Rows(rowsV.Widened(launcher, workspace, ref at)),
            Rows(rowsO.Widened(launcher, workspace, ref at)), logSumExp, dOut, dq, dk, dv, scratch);
    }

    private static Bf16Matrix Matrix(in AttentionSizes sizes, TokenRows rows, int tokens) =>
        Bf16Matrix.Of(rows.Data, tokens, sizes.Heads * sizes.HeadDim, rows.RowStride, rows.BatchStride, sizes.Batch);

    private static TokenRows Rows(Bf16Matrix matrix) => new(matrix.Data, matrix.Stride, matrix.Row);
}
