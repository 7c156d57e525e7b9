using Ldvc.Kernels;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Route self-attention of method.md 5; the choice of windows carries no gradient.</summary>
public static class RouteAttentionOp
{
    private const string Name = "route_attention";

    // Windows an edge: beyond the grid's size, more change nothing.
    private const int MaxWindows = 1 << 16;

    /// <summary>q, k, v [B, gridHeight * gridWidth, D] -> the same shape; S windows an edge, each attending to its topK windows.</summary>
    public static Variable RouteAttention(this Tape tape, Variable q, Variable k, Variable v, int heads, int gridHeight, int gridWidth, int s, int topK)
    {
        const string form = "[B, N, D]";
        var shape = Guard.Floats(tape, Name, q, 3, form);
        Guard.Same(Name, shape, Guard.Floats(tape, Name, k, 3, form), "q", "k");
        Guard.Same(Name, shape, Guard.Floats(tape, Name, v, 3, form), "q", "v");
        Guard.Between(Name, gridHeight, 1, int.MaxValue, shape);
        Guard.Between(Name, gridWidth, 1, int.MaxValue, shape);
        Guard.Between(Name, s, 1, MaxWindows, shape);
        Guard.Between(Name, topK, 1, int.MaxValue, shape);
        if (shape[1] != (long)gridHeight * gridWidth)
        {
            throw new ArgumentException($"{Name}: q must have a token for each place of the grid {gridHeight} x {gridWidth}, got {shape}");
        }

        int batch = shape[0], width = shape[2];
        Guard.Heads(Name, width, heads, shape);
        var sizes = new RouteSizes(batch, heads, width / heads, gridHeight, gridWidth, s, topK, 1f / MathF.Sqrt(width / heads));
        var table = Guard.Result(tape, Name, new Shape(batch, sizes.Windows, sizes.TopK), DType.Int32);
        using (var scratch = tape.Device.Empty(new Shape(2, batch, sizes.Windows, width)))
        {
            tape.Kernels.RouteAttention.Route(sizes, AttentionOp.Rows(q.Value, width, false, 0), AttentionOp.Rows(k.Value, width, false, 0), table, scratch);
        }

        using var keys = CenteredKeys.Center(tape.Kernels, k.Value);
        var y = Guard.Result(tape, Name, shape);
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
