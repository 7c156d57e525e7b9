using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Multi-head softmax attention; the matrix of weights is never stored.</summary>
public static class AttentionOp
{
    private const string Self = "self_attention";
    private const string Cross = "attention";

    /// <summary>qkv [B, N, 3D] (queries, keys, values side by side) -> [B, N, D] of the same element type.</summary>
    public static Variable SelfAttention(this Tape tape, Variable qkv, int heads, bool causal)
    {
        var shape = Guard.Stored(tape, Self, qkv);
        if (shape.Rank != 3 || shape[2] % 3 != 0)
        {
            throw new ArgumentException($"{Self}: qkv must be [B, N, 3 D], got {shape}");
        }

        int batch = shape[0], tokens = shape[1], width = shape[2] / 3;
        Guard.NotEmpty(Self, shape, 0, nameof(qkv));
        Guard.NotEmpty(Self, shape, 1, nameof(qkv));
        Guard.Heads(Self, width, heads, shape);
        var sizes = new AttentionSizes(batch, heads, tokens, tokens, width / heads, 1f / MathF.Sqrt(width / heads), causal, 0, 0);
        return Run(tape, Self, sizes, new TokenPart(qkv, 0, 3), new TokenPart(qkv, 1, 3), new TokenPart(qkv, 2, 3), null);
    }

    /// <summary>q [B, Nq, D], k and v [B, Nk, D] -> [B, Nq, D]; dropout on the weights when the tape records.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="heads">A divisor of D.</param>
    /// <param name="dropout">Share of weights that are dropped.</param>
    /// <param name="causal">Token i sees tokens 0 .. i alone; Nq and Nk are the same.</param>
    public static Variable Attention(this Tape tape, Variable q, Variable k, Variable v, int heads, float dropout, bool causal = false)
    {
        const string form = "[B, N, D]";
        Shape queries = Guard.Floats(tape, Cross, q, 3, form), all = Guard.Floats(tape, Cross, k, 3, form);
        Guard.Same(Cross, all, Guard.Floats(tape, Cross, v, 3, form), "k", "v");
        Guard.Size(Cross, all, 2, queries[2], "the width of q", nameof(k));
        return Attend(tape, new TokenPart(q), new TokenPart(k), new TokenPart(v), heads, dropout, causal);
    }

    /// <summary>The same with keys and values side by side, kv [B, Nk, 2 D].</summary>
    internal static Variable AttentionTo(this Tape tape, Variable q, Variable kv, int heads, float dropout)
    {
        Shape queries = Guard.Floats(tape, Cross, q, 3, "[B, N, D]"), all = Guard.Floats(tape, Cross, kv, 3, "[B, N, 2 D]");
        Guard.Size(Cross, all, 2, Guard.Product(Cross, 2, queries[2]), "twice the width of q", nameof(kv));
        return Attend(tape, new TokenPart(q), new TokenPart(kv, 0, 2), new TokenPart(kv, 1, 2), heads, dropout, causal: false);
    }

    private static Variable Attend(Tape tape, TokenPart q, TokenPart k, TokenPart v, int heads, float dropout, bool causal)
    {
        Shape queries = q.Owner.Shape, all = k.Owner.Shape;
        int batch = queries[0], width = q.Width;
        Guard.Size(Cross, all, 0, batch, "the batch of q", nameof(k));
        Guard.NotEmpty(Cross, all, 1, nameof(k));
        Guard.Heads(Cross, width, heads, queries);
        Guard.Dropped(Cross, dropout, queries);
        if (causal)
        {
            Guard.Size(Cross, all, 1, queries[1], "the number of queries, as attention is causal", nameof(k));
        }

        bool drop = tape.Recording && dropout > 0;
        ulong first = (ulong)tape.FirstRow * (ulong)heads * (ulong)queries[1] * (ulong)all[1];
        var sizes = new AttentionSizes(
            batch,
            heads,
            queries[1],
            all[1],
            width / heads,
            1f / MathF.Sqrt(width / heads),
            causal,
            drop ? dropout : 0,
            drop ? tape.NextDropoutKey() : 0,
            drop ? first : 0);

        // The keys' mean knows the future: causal attention leaves it in, so that later tokens do not change a bit of earlier ones.
        using var keys = causal ? null : CenteredKeys.Center(tape.Kernels, k);
        return Run(tape, Cross, sizes, q, k, v, keys);
    }

    // Keys that are given take the place of k's own.
    private static Variable Run(Tape tape, string name, in AttentionSizes sizes, TokenPart q, TokenPart k, TokenPart v, Tensor? keys)
    {
        int width = q.Width;
        var y = Guard.Result(tape, name, new Shape(sizes.Batch, sizes.Queries, width), q.Owner.Value.DType);
        var logSumExp = Guard.Result(tape, name, new Shape(sizes.Batch, sizes.Heads, sizes.Queries));
        tape.Kernels.Attention.Forward(
            sizes, q.In(q.Owner.Value), keys is null ? k.In(k.Owner.Value) : Rows(keys), v.In(v.Owner.Value), Rows(y), logSumExp);
        var result = tape.Result(y, q.Owner, k.Owner, v.Owner, name);
        if (result.RequiresGradient)
        {
            tape.Record(new AttentionNode(result, q, k, v, keys, logSumExp, sizes));
        }
        else
        {
            logSumExp.Dispose();
        }

        return result;
    }

    /// <summary>All of a tensor [B, N, D].</summary>
    internal static TokenRows Rows(Tensor tensor) => new(tensor.View, (long)tensor.Shape[1] * tensor.Shape[2], tensor.Shape[2]);

    private sealed class AttentionNode : Node
    {
        private readonly TokenPart _q;
        private readonly TokenPart _k;
        private readonly TokenPart _v;
        private readonly Tensor _savedQ;
        private readonly Tensor _savedK;
        private readonly Tensor _savedV;
        private readonly Tensor _savedOut;
        private readonly Tensor _logSumExp;
        private readonly AttentionSizes _sizes;
        private readonly bool _centered;

        internal AttentionNode(Variable output, TokenPart q, TokenPart k, TokenPart v, Tensor? keys, Tensor logSumExp, in AttentionSizes sizes)
            : base(output)
        {
            (_q, _k, _v, _sizes, _centered) = (q, k, v, sizes, keys is not null);
            _savedQ = Save(q.Owner.Value);
            _savedK = Save(keys ?? k.Owner.Value);
            _savedV = Save(v.Owner.Value);
            _savedOut = Save(output.Value);
            _logSumExp = Own(logSumExp);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            using var scratch = dy.Device.Empty(new Shape(_sizes.Batch, _sizes.Heads, _sizes.Queries));

            // The kernel overwrites all three gradients; where one is already there, the new one is added afterwards.
            using var dq = _q.Gradient(dy.Device);
            using var dk = _k.Gradient(dy.Device, (_q, dq));
            using var dv = _v.Gradient(dy.Device, (_q, dq), (_k, dk));
            kernels.Attention.Backward(
                _sizes,
                _q.In(_savedQ),
                _centered ? Rows(_savedK) : _k.In(_savedK),
                _v.In(_savedV),
                Rows(_savedOut),
                _logSumExp,
                Rows(dy),
                _q.In(dq),
                _k.In(dk),
                _v.In(dv),
                scratch);
            if (_centered && _k.Owner.RequiresGradient)
            {
                CenteredKeys.RemoveMean(kernels, _k, dk);
            }

            TokenPart.AddGradients((_q, dq), (_k, dk), (_v, dv));
        }
    }
}
