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
        return Run(tape, Self, sizes, width, qkv, qkv, qkv, qkv.Value, packed: true);
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
        int batch = queries[0], width = queries[2];
        Guard.Size(Cross, all, 0, batch, "the batch of q", nameof(k));
        Guard.Size(Cross, all, 2, width, "the width of q", nameof(k));
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
            batch, heads, queries[1], all[1], width / heads, 1f / MathF.Sqrt(width / heads), causal, drop ? dropout : 0, drop ? tape.NextDropoutKey() : 0, drop ? first : 0);

        // The keys' mean knows the future: causal attention leaves it in, so that later tokens do not change a bit of earlier ones.
        using var keys = causal ? k.Value.Share() : CenteredKeys.Center(tape.Kernels, k.Value);
        return Run(tape, Cross, sizes, width, q, k, v, keys, packed: false);
    }

    private static Variable Run(Tape tape, string name, in AttentionSizes sizes, int width, Variable q, Variable k, Variable v, Tensor keys, bool packed)
    {
        var y = Guard.Result(tape, name, new Shape(sizes.Batch, sizes.Queries, width), packed ? q.Value.DType : DType.Float32);
        var logSumExp = Guard.Result(tape, name, new Shape(sizes.Batch, sizes.Heads, sizes.Queries));
        tape.Kernels.Attention.Forward(
            sizes, Rows(q.Value, width, packed, 0), Rows(keys, width, packed, 1), Rows(v.Value, width, packed, 2), Rows(y, width, false, 0), logSumExp);
        var result = tape.Result(y, q, k, v);
        if (result.RequiresGradient)
        {
            tape.Record(new AttentionNode(result, q, k, v, keys, logSumExp, sizes, packed));
        }
        else
        {
            logSumExp.Dispose();
        }

        return result;
    }

    /// <summary>Column block `part` of a packed tensor, or the whole of a plain one.</summary>
    internal static TokenRows Rows(Tensor tensor, int width, bool packed, int part)
    {
        int row = packed ? 3 * width : width;
        return new TokenRows(packed ? tensor.View.Shift(part * width) : tensor.View, (long)tensor.Shape[1] * row, row);
    }

    private sealed class AttentionNode : Node
    {
        private readonly Variable _q;
        private readonly Variable _k;
        private readonly Variable _v;
        private readonly Tensor _savedQ;
        private readonly Tensor _savedK;
        private readonly Tensor _savedV;
        private readonly Tensor _savedOut;
        private readonly Tensor _logSumExp;
        private readonly AttentionSizes _sizes;
        private readonly bool _packed;

        internal AttentionNode(Variable output, Variable q, Variable k, Variable v, Tensor keys, Tensor logSumExp, in AttentionSizes sizes, bool packed)
            : base(output)
        {
            (_q, _k, _v, _sizes, _packed) = (q, k, v, sizes, packed);
            _savedQ = Save(q.Value);
            _savedK = packed ? _savedQ : Save(keys);
            _savedV = packed ? _savedQ : Save(v.Value);
            _savedOut = Save(output.Value);
            _logSumExp = Own(logSumExp);
        }

        internal override void Backward(KernelSet kernels, Tensor dy)
        {
            int width = dy.Shape[2];
            using var scratch = dy.Device.Empty(new Shape(_sizes.Batch, _sizes.Heads, _sizes.Queries));

            // The kernel overwrites all three gradients; where one is already there, the new one is added afterwards.
            using var dq = dy.Device.Empty(_savedQ.Shape);
            using var dk = _packed ? null : dy.Device.Empty(_savedK.Shape);
            using var dv = _packed ? null : dy.Device.Empty(_savedV.Shape);
            kernels.Attention.Backward(
                _sizes, Rows(_savedQ, width, _packed, 0), Rows(_savedK, width, _packed, 1), Rows(_savedV, width, _packed, 2), Rows(_savedOut, width, false, 0), _logSumExp,
                Rows(dy, width, false, 0), Rows(dq, width, _packed, 0), Rows(dk ?? dq, width, _packed, 1), Rows(dv ?? dq, width, _packed, 2), scratch);
            if (_q.RequiresGradient)
            {
                _q.AddGradient(dq);
            }

            if (dk is not null && _k.RequiresGradient)
            {
                if (!_sizes.Causal)
                {
                    CenteredKeys.RemoveMean(kernels, dk);
                }

                _k.AddGradient(dk);
            }

            if (dv is not null && _v.RequiresGradient)
            {
                _v.AddGradient(dv);
            }
        }
    }
}
