using Ldvc.Kernels;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Route self-attention of method.md 5; the choice of windows carries no gradient.</summary>
public static class RouteAttentionOp
{
    /// <summary>q, k, v [B, gridHeight * gridWidth, D] -> the same shape; S windows an edge, each attending to its topK windows.</summary>
    public static Variable RouteAttention(this Tape tape, Variable q, Variable k, Variable v, int heads, int gridHeight, int gridWidth, int s, int topK)
    {
        int batch = q.Shape[0], width = q.Shape[2];
        if (q.Shape != k.Shape || q.Shape != v.Shape || q.Shape[1] != gridHeight * gridWidth || width % heads != 0 || s < 1 || topK < 1)
        {
            throw new ArgumentException(
                $"route_attention: queries {q.Shape}, keys {k.Shape}, values {v.Shape}, {heads} heads, grid {gridHeight}x{gridWidth}, S={s}, k={topK}");
        }

        var sizes = new RouteSizes(batch, heads, width / heads, gridHeight, gridWidth, s, topK, 1f / MathF.Sqrt(width / heads));
        var table = tape.Device.Empty(new Shape(batch, sizes.Windows, sizes.TopK), DType.Int32);
        using (var scratch = tape.Device.Empty(new Shape(2, batch, sizes.Windows, width)))
        {
            tape.Kernels.RouteAttention.Route(sizes, AttentionOp.Rows(q.Value, width, false, 0), AttentionOp.Rows(k.Value, width, false, 0), table, scratch);
        }

        using var keys = CenteredKeys.Center(tape.Kernels, k.Value);
        var y = tape.Device.Empty(q.Shape);
        var logSumExp = tape.Device.Empty(new Shape(batch, heads, sizes.Tokens));
        tape.Kernels.RouteAttention.Forward(
            sizes, table, AttentionOp.Rows(q.Value, width, false, 0), AttentionOp.Rows(keys, width, false, 0), AttentionOp.Rows(v.Value, width, false, 0),
            AttentionOp.Rows(y, width, false, 0), logSumExp);
        var result = tape.Result(y, q, k, v);
        if (result.RequiresGradient)
        {
            tape.Record(new RouteAttentionNode(result, q, k, v, keys, table, logSumExp, sizes));
        }
        else
        {
            table.Dispose();
            logSumExp.Dispose();
        }

        return result;
    }

    private sealed class RouteAttentionNode : Node
    {
        private readonly Variable _q;
        private readonly Variable _k;
        private readonly Variable _v;
        private readonly Tensor _savedQ;
        private readonly Tensor _savedK;
        private readonly Tensor _savedV;
        private readonly Tensor _savedOut;
        private readonly Tensor _table;
        private readonly Tensor _logSumExp;
        private readonly RouteSizes _sizes;

        internal RouteAttentionNode(Variable output, Variable q, Variable k, Variable v, Tensor keys, Tensor table, Tensor logSumExp, in RouteSizes sizes)
            : base(output)
        {
            (_q, _k, _v, _sizes) = (q, k, v, sizes);
            _savedQ = Save(q.Value);
            _savedK = Save(keys);
            _savedV = Save(v.Value);
            _savedOut = Save(output.Value);
            _table = Own(table);
            _logSumExp = Own(logSumExp);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int width = dy.Shape[2];
            var device = dy.Device;
            using var scratch = device.Empty(_logSumExp.Shape);
            using var offsets = device.Empty(new Shape(_sizes.Batch, _sizes.Windows + 1), DType.Int32);
            using var list = device.Empty(_table.Shape, DType.Int32);
            kernels.RouteAttention.Invert(_sizes, _table, offsets, list);
            using var dq = device.Empty(dy.Shape);
            using var dk = device.Empty(dy.Shape);
            using var dv = device.Empty(dy.Shape);
            kernels.RouteAttention.Backward(
                _sizes, _table, offsets, list, AttentionOp.Rows(_savedQ, width, false, 0), AttentionOp.Rows(_savedK, width, false, 0), AttentionOp.Rows(_savedV, width, false, 0),
                AttentionOp.Rows(_savedOut, width, false, 0), _logSumExp, AttentionOp.Rows(dy, width, false, 0), AttentionOp.Rows(dq, width, false, 0),
                AttentionOp.Rows(dk, width, false, 0), AttentionOp.Rows(dv, width, false, 0), scratch);
            if (_q.RequiresGradient)
            {
                _q.AddGradient(dq);
            }

            if (_k.RequiresGradient)
            {
                CenteredKeys.RemoveMean(kernels, dk);
                _k.AddGradient(dk);
            }

            if (_v.RequiresGradient)
            {
                _v.AddGradient(dv);
            }
        }
    }
}
