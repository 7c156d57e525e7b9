using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Softmax attention, packed and with separate queries, keys and values.</summary>
internal static class AttentionCases
{
    internal static IEnumerable<OpCase> All =>
    [
        Self(1, 1, 1, 1, false), Self(2, 3, 2, 5, false), Self(2, 5, 3, 8, true), Self(1, 41, 2, 13, false), Self(1, 37, 1, 64, true),
        Self(1, 1025, 12, 64, false, real: true), Self(15, 9, 8, 64, true, real: true),
        Cross(1, 1, 1, 1, 1, 0), Cross(2, 3, 5, 2, 4, 0), Cross(2, 7, 4, 3, 8, 0.1f), Cross(1, 50, 15, 2, 20, 0), Cross(1, 19, 35, 1, 7, 0.5f),
        Cross(1, 1, 1, 1, 1, 0, causal: true), Cross(2, 5, 5, 3, 8, 0, causal: true), Cross(1, 37, 37, 1, 16, 0.1f, causal: true),
        Cross(4, 1024, 15, 8, 64, 0.1f, real: true),
        To(1, 1, 1, 1, 1, 0), To(2, 7, 4, 3, 8, 0.1f), To(1, 19, 35, 1, 7, 0), To(4, 1024, 15, 8, 64, 0.1f, real: true),
    ];

    private static OpCase Self(int batch, int tokens, int heads, int headDim, bool causal, bool real = false)
    {
        int width = heads * headDim;
        return new OpCase(
            typeof(AttentionOp), nameof(AttentionOp.SelfAttention), $"{batch} x {tokens}, {heads} heads of {headDim}{(causal ? " causal" : "")}")
        {
            Inputs = [new("qkv", batch, tokens, 3 * width)],
            Run = (tape, v) => tape.SelfAttention(v[0], heads, causal),
            Reference = real ? null : v => AttentionReference.Forward(
                Part(v[0], width, 0),
                Part(v[0], width, 1),
                Part(v[0], width, 2),
                batch,
                tokens,
                tokens,
                heads,
                headDim,
                (_, i, j) => !causal || j <= i),
            Work = Work(batch, tokens, tokens, heads, headDim, causal),
            Real = real,
        };
    }

    private static OpCase Cross(int batch, int queries, int keys, int heads, int headDim, float dropout, bool real = false, bool causal = false)
    {
        int width = heads * headDim;
        ulong key = CaseRandom.DropoutKey(77, 0);
        double Kept(long i) => dropout == 0 ? 1 : Formulas.DropoutFactor(key, i, dropout);
        return new OpCase(
            typeof(AttentionOp),
            nameof(AttentionOp.Attention),
            $"{batch} x {queries} to {keys}, {heads} heads of {headDim} dropout {dropout}{(causal ? " causal" : "")}")
        {
            Inputs = [new("q", batch, queries, width), new("k", batch, keys, width), new("v", batch, keys, width)],
            Run = (tape, v) => tape.Attention(v[0], v[1], v[2], heads, dropout, causal),
            Reference = real
                ? null
                : v => AttentionReference.Forward(v[0], v[1], v[2], batch, queries, keys, heads, headDim, (_, i, j) => !causal || j <= i, Kept),
            Work = Work(batch, queries, keys, heads, headDim, causal),
            Real = real,
            Random = dropout > 0,

            // One key: its weight is always one, so queries and keys have no gradient but rounding.
            GradientAtLeast = keys == 1 ? 0.1 : 0,
        };
    }

    private static OpCase To(int batch, int queries, int keys, int heads, int headDim, float dropout, bool real = false)
    {
        int width = heads * headDim;
        ulong key = CaseRandom.DropoutKey(77, 0);
        double Kept(long i) => dropout == 0 ? 1 : Formulas.DropoutFactor(key, i, dropout);
        return new OpCase(
            typeof(AttentionOp), nameof(AttentionOp.AttentionTo), $"{batch} x {queries} to {keys}, {heads} heads of {headDim} dropout {dropout}")
        {
            Inputs = [new("q", batch, queries, width), new("kv", batch, keys, 2 * width)],
            Run = (tape, v) => tape.AttentionTo(v[0], v[1], heads, dropout),
            Reference = real ? null : v => AttentionReference.Forward(
                v[0], Part(v[1], width, 0, 2), Part(v[1], width, 1, 2), batch, queries, keys, heads, headDim, (_, _, _) => true, Kept),
            Work = Work(batch, queries, keys, heads, headDim, false),
            Real = real,
            Random = dropout > 0,
            GradientAtLeast = keys == 1 ? 0.1 : 0,
        };
    }

    // Two products forward; five backward (the scores again, dP, dQ, dK, dV).
    private static CaseWork Work(int batch, int queries, int keys, int heads, int headDim, bool causal)
    {
        double width = (double)heads * headDim, pairs = (double)batch * queries * keys * (causal ? 0.5 : 1), product = 2 * pairs * width;
        double q = batch * queries * width, kv = 2 * batch * keys * width;
        return new CaseWork(2 * product, (2 * q) + kv, 5 * product, (4 * q) + (2 * kv));
    }

    /// <summary>One of some column blocks side by side.</summary>
    internal static double[] Part(double[] packed, int width, int part, int of = 3) =>
        [.. Enumerable.Range(0, packed.Length / of).Select(i => packed[(i / width * of * width) + (part * width) + (i % width)])];
}
