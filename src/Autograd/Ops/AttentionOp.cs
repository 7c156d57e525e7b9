using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Attention;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>Multi-head softmax attention; the matrix of weights is never stored.</summary>
public static class AttentionOp
{
    /// <summary>qkv [B, N, 3D] (queries, keys, values side by side) -> [B, N, D] of the same element type.</summary>
    public static Variable SelfAttention(this Tape tape, Variable qkv, int heads, bool causal)
    {
        int batch = qkv.Shape[0], tokens = qkv.Shape[1], width = qkv.Shape[2] / 3;
        if (qkv.Shape.Rank != 3 || width * 3 != qkv.Shape[2] || width % heads != 0)
        {
            throw new ArgumentException($"self-attention: packed input {qkv.Shape}, {heads} heads");
        }

        var sizes = new AttentionSizes(batch, heads, tokens, tokens, width / heads, 1f / MathF.Sqrt(width / heads), causal, 0, 0);
        return Run(tape, sizes, width, qkv, qkv, qkv, qkv.Value, packed: true);
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
        int batch = q.Shape[0], width = q.Shape[2];
        if (k.Shape != v.Shape || k.Shape[0] != batch || k.Shape[2] != width || width % heads != 0)
        {
            throw new ArgumentException($"attention: queries {q.Shape}, keys {k.Shape}, values {v.Shape}, {heads} heads");
        }

        if (causal && k.Shape[1] != q.Shape[1])
        {
            throw new ArgumentException($"attention: causal attention needs as many keys as queries, got queries {q.Shape}, keys {k.Shape}");
        }

        bool drop = tape.Recording && dropout > 0;
        var sizes = new AttentionSizes(
            batch, heads, q.Shape[1], k.Shape[1], width / heads, 1f / MathF.Sqrt(width / heads), causal, drop ? dropout : 0, drop ? tape.NextDropoutKey() : 0);

        // The keys' mean knows the future: causal attention leaves it in, so that later tokens do not change a bit of earlier ones.
        using var keys = causal ? k.Value.Share() : CenteredKeys.Center(tape.Kernels, k.Value);
        return Run(tape, sizes, width, q, k, v, keys, packed: false);
    }

    private static Variable Run(Tape tape, in AttentionSizes sizes, int width, Variable q, Variable k, Variable v, Tensor keys, bool packed)
    {
        var y = tape.Device.Empty(new Shape(sizes.Batch, sizes.Queries, width), packed ? q.Value.DType : DType.Float32);
        var logSumExp = tape.Device.Empty(new Shape(sizes.Batch, sizes.Heads, sizes.Queries));
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
