using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Sums, factors and dropout.</summary>
internal static class ElementwiseCases
{
    // The residual stream of ViT-B/16 at 512 pixels.
    private static readonly int[] Stream = [1, 1025, 768];

    internal static IEnumerable<OpCase> All =>
    [
        Add([1]), Add([2, 3, 5]), Add([7, 37]), Add(Stream, real: true),
        Scale([1], 3f), Scale([3, 41], -0.37f), Scale(Stream, 0.5f, real: true),
        ScaleByExp([1], 0.7, 100), ScaleByExp([5, 13], 2.5, 100), ScaleByExp([3, 7], 5, 100), ScaleByExp([256, 256], 2.6, 100, real: true),
        DropoutEach([1, 5], 0.3f), DropoutEach([3, 7], 0.5f), DropoutEach([4, 2, 8], 0.1f), DropoutEach([12, 10, 768], 0.1f, real: true),
        Dropout([1], 0.5f), Dropout([3, 43], 0.1f), Dropout([2, 5, 33], 0.75f), Dropout(Stream, 0.1f, real: true),
    ];

    private static OpCase Add(int[] sizes, bool real = false)
    {
        CaseInput a = new("a", sizes), b = new("b", sizes);
        return new OpCase(typeof(AddOp), nameof(AddOp.Add), a.Shape.ToString())
        {
            Inputs = [a, b],
            Run = (tape, v) => tape.Add(v[0], v[1]),
            Reference = real ? null : v => [.. v[0].Zip(v[1], (x, y) => x + y)],

            // Both gradients are the upstream gradient itself: the backward moves nothing.
            Work = new CaseWork(a.Count, 3.0 * a.Count),
            Real = real,
        };
    }

    private static OpCase Scale(int[] sizes, float factor, bool real = false)
    {
        CaseInput x = new("x", sizes);
        return new OpCase(typeof(ScaleOp), nameof(ScaleOp.Scale), $"{x.Shape} by {factor}")
        {
            Inputs = [x],
            Run = (tape, v) => tape.Scale(v[0], factor),
            Reference = real ? null : v => [.. v[0].Select(e => e * factor)],
            Work = CaseWork.Move(x.Count, x.Count),
            Real = real,
        };
    }

    // The logarithm is the mean of a one-element input with next to no deviation: below or above the limit as told.
    private static OpCase ScaleByExp(int[] sizes, double logarithm, float limit, bool real = false)
    {
        CaseInput x = new("x", sizes), s = new("s", 1) { Mean = logarithm, Deviation = 0.05 };
        return new OpCase(typeof(ScaleByExpOp), nameof(ScaleByExpOp.ScaleByExp), $"{x.Shape} near e^{logarithm}, limit {limit}")
        {
            Inputs = [x, s],
            Run = (tape, v) => tape.ScaleByExp(v[0], v[1], limit),
            Reference = real ? null : v => [.. v[0].Select(e => e * Math.Min(Math.Exp(v[1][0]), limit))],
            Work = new CaseWork(x.Count, 2.0 * x.Count, 3.0 * x.Count, 3.0 * x.Count),
            Real = real,
        };
    }

    private static OpCase DropoutEach(int[] sizes, float probability, bool real = false)
    {
        CaseInput x = new("x", sizes);
        int each = (int)(x.Count / sizes[0]);
        OpCase c = null!;
        c = new OpCase(typeof(DropoutOp), nameof(DropoutOp.DropoutEach), $"{x.Shape} p {probability}")
        {
            Inputs = [x],
            Run = (tape, v) => tape.DropoutEach(v[0], probability),
            Reference = real
                ? null
                : v => [.. v[0].Select((e, i) => e * Formulas.DropoutFactor(CaseRandom.DropoutKey(c.Seed, i / each), i % each, probability))],
            Work = CaseWork.Move(x.Count, x.Count),
            Real = real,
            Random = true,
        };
        return c;
    }

    private static OpCase Dropout(int[] sizes, float probability, bool real = false)
    {
        CaseInput x = new("x", sizes);
        OpCase c = null!;
        c = new OpCase(typeof(DropoutOp), nameof(DropoutOp.Dropout), $"{x.Shape} p {probability}")
        {
            Inputs = [x],
            Run = (tape, v) => tape.Dropout(v[0], probability),
            Reference = real ? null : v => [.. v[0].Select((e, i) => e * Formulas.DropoutFactor(CaseRandom.DropoutKey(c.Seed, 0), i, probability))],
            Work = CaseWork.Move(x.Count, x.Count),
            Real = real,
            Random = true,
        };
        return c;
    }
}
