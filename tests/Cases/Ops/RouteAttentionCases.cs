using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>
/// Route self-attention (method.md 5). The choice of windows has no gradient: the reference chooses once and holds the choice fixed.
/// </summary>
internal static class RouteAttentionCases
{
    internal static IEnumerable<OpCase> All =>
    [
        Case(1, 1, 1, 1, 1, 1, 1), Case(1, 2, 4, 4, 4, 4, 2), Case(2, 2, 5, 3, 4, 2, 3), Case(1, 2, 8, 6, 7, 3, 4), Case(2, 1, 16, 5, 4, 8, 6),
        Case(1, 2, 6, 6, 4, 3, 100), Case(1, 1, 24, 7, 5, 1, 1), Case(1, 1, 8, 1, 37, 5, 2),
        Case(4, 8, 64, 32, 32, 8, 16, real: true),
        Self(1, 1, 1, 1, 1, 1, 1), Self(2, 2, 5, 3, 4, 2, 3), Self(1, 2, 8, 6, 7, 3, 4), Self(4, 8, 64, 32, 32, 8, 16, real: true),
    ];

    private static OpCase Self(int batch, int heads, int headDim, int gridHeight, int gridWidth, int s, int topK, bool real = false)
    {
        int tokens = gridHeight * gridWidth, width = heads * headDim;
        var windows = new RouteReference(batch, width, gridHeight, gridWidth, s, topK);
        OpCase c = null!;
        var choice = new Lazy<HashSet<(int, int, int)>>(() =>
        {
            double[] qkv = Array.ConvertAll(c.Draw()[0], e => (double)e);
            return windows.Choose(AttentionCases.Part(qkv, width, 0), AttentionCases.Part(qkv, width, 1));
        });
        double pairs = (double)batch * tokens * windows.KeysPerQuery, product = 2 * pairs * width, all = (double)batch * tokens * width;
        c = new OpCase(
            typeof(RouteAttentionOp),
            nameof(RouteAttentionOp.SelfRouteAttention),
            $"{batch} x {gridHeight} x {gridWidth}, {heads} heads of {headDim}, S {s}, k {topK}")
        {
            Inputs = [new("qkv", batch, tokens, 3 * width)],
            Run = (tape, v) => tape.SelfRouteAttention(v[0], heads, gridHeight, gridWidth, s, topK),
            Reference = real ? null : v => AttentionReference.Forward(
                AttentionCases.Part(v[0], width, 0),
                AttentionCases.Part(v[0], width, 1),
                AttentionCases.Part(v[0], width, 2),
                batch,
                tokens,
                tokens,
                heads,
                headDim,
                (b, i, j) => choice.Value.Contains((b, windows.Window(i), windows.Window(j)))),
            Work = new CaseWork(2 * product, 4 * all, 5 * product, 8 * all),
            Real = real,
            Smooth = topK >= s * s,
            GradientAtLeast = tokens == 1 ? 0.1 : 0,
        };
        return c;
    }

    private static OpCase Case(int batch, int heads, int headDim, int gridHeight, int gridWidth, int s, int topK, bool real = false)
    {
        int tokens = gridHeight * gridWidth, width = heads * headDim;
        var windows = new RouteReference(batch, width, gridHeight, gridWidth, s, topK);
        int[] sizes = [batch, tokens, width];
        string variant = $"{batch} x {gridHeight} x {gridWidth}, {heads} heads of {headDim}, S {s}, k {topK}";
        OpCase c = null!;
        var choice = new Lazy<HashSet<(int, int, int)>>(() =>
        {
            double[][] inputs = [.. c.Draw().Select(x => Array.ConvertAll(x, e => (double)e))];
            return windows.Choose(inputs[0], inputs[1]);
        });
        double pairs = (double)batch * tokens * windows.KeysPerQuery, product = 2 * pairs * width, all = (double)batch * tokens * width;
        c = new OpCase(typeof(RouteAttentionOp), nameof(RouteAttentionOp.RouteAttention), variant)
        {
            Inputs = [new("q", sizes), new("k", sizes), new("v", sizes)],
            Run = (tape, v) => tape.RouteAttention(v[0], v[1], v[2], heads, gridHeight, gridWidth, s, topK),
            Reference = real ? null : v => AttentionReference.Forward(
                v[0],
                v[1],
                v[2],
                batch,
                tokens,
                tokens,
                heads,
                headDim,
                (b, i, j) => choice.Value.Contains((b, windows.Window(i), windows.Window(j)))),
            Work = new CaseWork(2 * product, 4 * all, 5 * product, 8 * all),
            Real = real,

            // Where every window attends to all, small steps cannot change the choice.
            Smooth = topK >= s * s,
            GradientAtLeast = tokens == 1 ? 0.1 : 0,
        };
        return c;
    }
}
