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
    public static Variable RouteAttention(
        this Tape tape, Variable q, Variable k, Variable v, int heads, int gridHeight, int gridWidth, int s, int topK)
    {
        const string form = "[B, N, D]";
        var shape = Guard.Floats(tape, Name, q, 3, form);
        Guard.Same(Name, shape, Guard.Floats(tape, Name, k, 3, form), "q", "k");
        Guard.Same(Name, shape, Guard.Floats(tape, Name, v, 3, form), "q", "v");
        return Run(tape, new TokenPart(q), new TokenPart(k), new TokenPart(v), heads, gridHeight, gridWidth, s, topK);
    }

    /// <summary>The same with queries, keys and values side by side, qkv [B, gridHeight * gridWidth, 3 D].</summary>
    internal static Variable SelfRouteAttention(this Tape tape, Variable qkv, int heads, int gridHeight, int gridWidth, int s, int topK)
    {
        var shape = Guard.Floats(tape, Name, qkv, 3, "[B, N, 3 D]");
        return shape[2] % 3 == 0
            ? Run(tape, new TokenPart(qkv, 0, 3), new TokenPart(qkv, 1, 3), new TokenPart(qkv, 2, 3), heads, gridHeight, gridWidth, s, topK)
            : throw new ArgumentException($"{Name}: qkv must be [B, N, 3 D], got {shape}");
    }

    private static Variable Run(Tape tape, TokenPart q, TokenPart k, TokenPart v, int heads, int gridHeight, int gridWidth, int s, int topK)
    {
        var shape = q.Owner.Shape;
        Guard.Between(Name, gridHeight, 1, int.MaxValue, shape);
        Guard.Between(Name, gridWidth, 1, int.MaxValue, shape);
        Guard.Between(Name, s, 1, MaxWindows, shape);
        Guard.Between(Name, topK, 1, int.MaxValue, shape);
        if (shape[1] != (long)gridHeight * gridWidth)
        {
            throw new ArgumentException($"{Name}: q must have a token for each place of the grid {gridHeight} x {gridWidth}, got {shape}");
        }

        int batch = shape[0], width = q.Width;
        Guard.Heads(Name, width, heads, shape);
        var sizes = new RouteSizes(batch, heads, width / heads, gridHeight, gridWidth, s, topK, 1f / MathF.Sqrt(width / heads));
        var table = Guard.Result(tape, Name, new Shape(batch, sizes.Windows, sizes.TopK), DType.Int32);
        using (var scratch = tape.Rent(new Shape(2, batch, sizes.Windows, width)))
        {
            tape.Kernels.RouteAttention.Route(sizes, q.In(q.Owner.Value), k.In(k.Owner.Value), table, scratch);
        }

        using var keys = CenteredKeys.Center(tape.Kernels, k);
        var y = Guard.Result(tape, Name, new Shape(batch, shape[1], width));
        var logSumExp = tape.Rent(new Shape(batch, heads, sizes.Tokens));
        tape.Kernels.RouteAttention.Forward(
            sizes, table, q.In(q.Owner.Value), AttentionOp.Rows(keys), v.In(v.Owner.Value), AttentionOp.Rows(y), logSumExp);
        var result = tape.Result(y, q.Owner, k.Owner, v.Owner, Name);
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
        private readonly TokenPart _q;
        private readonly TokenPart _k;
        private readonly TokenPart _v;
        private readonly Tensor _savedQ;
        private readonly Tensor _savedK;
        private readonly Tensor _savedV;
        private readonly Tensor _savedOut;
        private readonly Tensor _table;
        private readonly Tensor _logSumExp;
        private readonly RouteSizes _sizes;

        internal RouteAttentionNode(
            Variable output, TokenPart q, TokenPart k, TokenPart v, Tensor keys, Tensor table, Tensor logSumExp, in RouteSizes sizes)
            : base(output)
        {
            (_q, _k, _v, _sizes) = (q, k, v, sizes);
            _savedQ = Save(q.Owner.Value);
            _savedK = Save(keys);
            _savedV = Save(v.Owner.Value);
            _savedOut = Save(output.Value);
            _table = Own(table);
            _logSumExp = Own(logSumExp);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            var device = dy.Device;
            using var scratch = device.Empty(_logSumExp.Shape);
            using var offsets = device.Empty(new Shape(_sizes.Batch, _sizes.Windows + 1), DType.Int32);
            using var list = device.Empty(_table.Shape, DType.Int32);
            kernels.RouteAttention.Invert(_sizes, _table, offsets, list);
            using var dq = _q.Gradient(device);
            using var dk = _k.Gradient(device, (_q, dq));
            using var dv = _v.Gradient(device, (_q, dq), (_k, dk));
            kernels.RouteAttention.Backward(
                _sizes,
                _table,
                offsets,
                list,
                _q.In(_savedQ),
                AttentionOp.Rows(_savedK),
                _v.In(_savedV),
                AttentionOp.Rows(_savedOut),
                _logSumExp,
                AttentionOp.Rows(dy),
                _q.In(dq),
                _k.In(dk), _v.In(dv), scratch);
            if (_k.Owner.RequiresGradient)
            {
                CenteredKeys.RemoveMean(kernels, _k, dk);
            }

            TokenPart.AddGradients((_q, dq), (_k, dk), (_v, dv));
        }
    }
}
