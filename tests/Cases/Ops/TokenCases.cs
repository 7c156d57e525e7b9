using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Operations that move tokens about. Their references are index arithmetic on a float64 copy.</summary>
internal static class TokenCases
{
    internal static IEnumerable<OpCase> All =>
    [
        AddRows(1, 1, 1, 1), AddRows(2, 3, 5, 3), AddRows(3, 4, 7, 9), AddRows(15, 9, 512, 77, real: true),
        Concat(1, 1, 1, 1), Concat(2, 3, 4, 5), Concat(3, 1, 7, 33), Concat(1, 1024, 15, 512, real: true),
        SliceTokens(1, 1, 1, 0, 1),
        SliceTokens(2, 7, 5, 2, 3),
        SliceTokens(3, 5, 33, 4, 1),
        SliceTokens(2, 4, 3, 1, 3),
        SliceTokens(1, 1035, 768, 11, 1024, real: true),
        Splice(1, 2, 1, 1, 0, 0),
        Splice(2, 5, 3, 2, 1, 0),
        Splice(3, 7, 5, 2, 1, 2),
        Splice(2, 4, 9, 3, 0, 1),
        Splice(2, 4, 17, 1, 3, 1),
        Splice(2, 4, 5, 2, 4, 0),
        Splice(1, 1, 64, 4, 1, 0), Splice(3, 4, 16, 5, 0, 0),
        Splice(1, 1035, 768, 10, 1, 10, real: true),
        Splice(1, 2, 1, 1, 0, 0, own: true),
        Splice(3, 7, 5, 2, 1, 2, own: true),
        Splice(2, 4, 17, 1, 3, 1, own: true),
        Splice(2, 4, 5, 2, 4, 0, own: true),
        Splice(2, 1, 64, 4, 1, 0, own: true),
        SpliceItself(2, 3, 5, 1, 1), SpliceItself(3, 41, 64, 41, 0), SpliceItself(4, 512, 12, 100, 7),
        SpliceRow(1, 2, 1, 1, 1, 0, 0),
        SpliceRow(2, 5, 3, 3, 2, 1, 2),
        SpliceRow(3, 4, 16, 2, 5, 0, 0),
        SpliceRow(2, 4, 8, 3, 2, 1, 1),
        SpliceRow(1, 1035, 768, 12, 10, 1, 10, real: true),
        MeanTokens(1, 1, 1), MeanTokens(2, 3, 5), MeanTokens(3, 17, 33), MeanTokens(64, 196, 128, real: true),
        LogMeanExpTokens(1, 1, 1, 3), LogMeanExpTokens(2, 3, 5, 0.5f), LogMeanExpTokens(3, 17, 33, 4), LogMeanExpTokens(96, 144, 96, 20, real: true),
    ];

    private static OpCase AddRows(int batch, int length, int width, int rows, bool real = false)
    {
        double count = (double)batch * length * width;
        return new OpCase(typeof(AddRowsOp), nameof(AddRowsOp.AddRows), $"{batch} x {length} x {width}, {rows} rows")
        {
            Inputs = [new("x", batch, length, width), new("rows", rows, width)],
            Run = (tape, v) => tape.AddRows(v[0], v[1]),
            Reference = real ? null : v => [.. v[0].Select((x, i) => x + v[1][i % (length * width)])],
            Work = new CaseWork(count, (2 * count) + (length * width), count, count + (length * width)),
            Real = real,
        };
    }

    private static OpCase Concat(int batch, int first, int second, int width, bool real = false)
    {
        double count = (double)batch * (first + second) * width;
        return new OpCase(typeof(ConcatOp), nameof(ConcatOp.Concat), $"{batch} x ({first} + {second}) x {width}")
        {
            Inputs = [new("a", batch, first, width), new("b", batch, second, width)],
            Run = (tape, v) => tape.Concat(v[0], v[1]),
            Reference = real ? null : v => Rows(
                batch, first + second, width, (b, t, e) => t < first ? v[0][At(b, t, e, first, width)] : v[1][At(b, t - first, e, second, width)]),
            Work = CaseWork.Move(count, count),
            Real = real,
        };
    }

    private static OpCase SliceTokens(int batch, int length, int width, int start, int count, bool real = false) =>
        new(typeof(SliceTokensOp), nameof(SliceTokensOp.SliceTokens), $"{batch} x {length} x {width}, {start}..{start + count}")
        {
            Inputs = [new("x", batch, length, width)],
            Run = (tape, v) => tape.SliceTokens(v[0], start, count),
            Reference = real ? null : v => Rows(batch, count, width, (b, t, e) => v[0][At(b, t + start, e, length, width)]),
            Work = CaseWork.Move((double)batch * count * width, (double)batch * count * width),
            Real = real,
        };

    private static OpCase Splice(int batch, int length, int width, int count, int start, int dropped, bool real = false, bool own = false)
    {
        int after = length - dropped + count;
        double moved = (double)batch * after * width;
        return new OpCase(
            typeof(SpliceOp), nameof(SpliceOp.Splice), $"{count}{(own ? " each" : "")} into {batch} x {length} x {width} at {start} for {dropped}")
        {
            Inputs = [new("x", batch, length, width), own ? new("tokens", batch, count, width) : new("tokens", count, width)],
            Run = (tape, v) => tape.Splice(v[0], v[1], start, dropped),
            Reference = real ? null : v => Rows(batch, after, width, (b, t, e) => t < start
                ? v[0][At(b, t, e, length, width)]
                : t < start + count ? v[1][At(own ? b : 0, t - start, e, count, width)] : v[0][At(b, t - count + dropped, e, length, width)]),
            Work = CaseWork.Move(moved, moved),
            Real = real,
        };
    }

    // Both gradients are those of one variable.
    private static OpCase SpliceItself(int batch, int length, int width, int start, int dropped)
    {
        int after = (2 * length) - dropped;
        double moved = (double)batch * after * width;
        return new OpCase(typeof(SpliceOp), nameof(SpliceOp.Splice), $"itself into {batch} x {length} x {width} at {start} for {dropped}")
        {
            Inputs = [new("x", batch, length, width)],
            Run = (tape, v) => tape.Splice(v[0], v[0], start, dropped),
            Reference = v => Rows(batch, after, width, (b, t, e) =>
                v[0][At(b, t < start ? t : t < start + length ? t - start : t - length + dropped, e, length, width)]),
            Work = CaseWork.Move(moved, moved),
        };
    }

    private static OpCase SpliceRow(int batch, int length, int width, int rows, int count, int start, int dropped, bool real = false)
    {
        int after = length - dropped + count, row = rows / 2;
        double moved = (double)batch * after * width;
        return new OpCase(
            typeof(SpliceOp), nameof(SpliceOp.SpliceRow), $"{count}, row {row} of {rows}, into {batch} x {length} x {width} at {start} for {dropped}")
        {
            Inputs = [new("x", batch, length, width), new("stack", rows, count, width)],
            Run = (tape, v) => tape.SpliceRow(v[0], v[1], row, start, dropped),
            Reference = real ? null : v => Rows(batch, after, width, (b, t, e) => t < start
                ? v[0][At(b, t, e, length, width)]
                : t < start + count ? v[1][At(row, t - start, e, count, width)] : v[0][At(b, t - count + dropped, e, length, width)]),
            Work = CaseWork.Move(moved, moved),
            Real = real,
        };
    }

    private static OpCase MeanTokens(int batch, int tokens, int width, bool real = false)
    {
        double count = (double)batch * tokens * width, few = (double)batch * width;
        return new OpCase(typeof(MeanTokensOp), nameof(MeanTokensOp.MeanTokens), $"{batch} x {tokens} x {width}")
        {
            Inputs = [new("x", batch, tokens, width) { Mean = 0.5 }],
            Run = (tape, v) => tape.MeanTokens(v[0]),
            Reference = real
                ? null
                : v => Rows(batch, 1, width, (b, _, e) => Enumerable.Range(0, tokens).Average(t => v[0][At(b, t, e, tokens, width)])),
            Work = new CaseWork(count, count + few, count, count + few),
            Real = real,
        };
    }

    private static OpCase LogMeanExpTokens(int batch, int tokens, int width, float sharpness, bool real = false)
    {
        double count = (double)batch * tokens * width, few = (double)batch * width;
        return new OpCase(
            typeof(LogMeanExpTokensOp), nameof(LogMeanExpTokensOp.LogMeanExpTokens), $"{batch} x {tokens} x {width}, sharpness {sharpness}")
        {
            Inputs = [new("x", batch, tokens, width) { Mean = 0.5 }],
            Run = (tape, v) => tape.LogMeanExpTokens(v[0], sharpness),
            Reference = real ? null : v => Rows(batch, 1, width, (b, _, e) =>
                Math.Log(Enumerable.Range(0, tokens).Average(t => Math.Exp(sharpness * v[0][At(b, t, e, tokens, width)]))) / sharpness),
            Work = new CaseWork(10 * count, count + few, 10 * count, 2 * count),
            Real = real,
        };
    }

    private static int At(int b, int t, int e, int length, int width) => (((b * length) + t) * width) + e;

    private static double[] Rows(int batch, int length, int width, Func<int, int, int, double> value)
    {
        var y = new double[batch * length * width];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = value(i / (length * width), i / width % length, i % width);
        }

        return y;
    }
}
