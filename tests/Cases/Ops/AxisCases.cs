using Ldvc.Autograd;
using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Reductions and softmax along axes.</summary>
internal static class AxisCases
{
    // No axes are all; rows, columns, the middle, both ends, every second one; long rows and long columns; dimensions of one.
    private static readonly (int[] Sizes, int[] Axes, bool KeepDims)[] s_reductions =
    [
        ([1], [], false), ([3, 5], [], false), ([4, 37], [-1], false), ([4, 37], [0], true), ([3, 7, 33], [1], false), ([3, 7, 5], [0, 2], false),
        ([2, 3, 2, 3, 2, 3], [1, 3, 5], true),
        ([2, 3, 2, 3, 2, 3], [0, -4, 4], false),
        ([5, 1, 3], [1], false),
        ([2, 5000], [1], false),
        ([2100, 3], [0], false),
        ([1, 9001], [], false), ([2, 700, 70], [1], true),
    ];

    internal static IEnumerable<OpCase> All =>
    [
        .. s_reductions.SelectMany(r => Sums(r.Sizes, r.Axes, r.KeepDims)), .. Sums([64, 196, 128], [1], false, real: true),
        .. s_reductions.Select(r => Max(r.Sizes, r.Axes, r.KeepDims)),
        Max([5, 1, 3], [-2], true, smooth: true),
        Max([64, 196, 128], [2], false, real: true),
        .. new[] { false, true }.SelectMany(log => new[]
        {
            Softmax(log, [1, 1], -1), Softmax(log, [5, 7], 1), Softmax(log, [3, 37], -1), Softmax(log, [4, 130], -1), Softmax(log, [7, 3], 0),
                Softmax(log, [2, 5, 19], 1),
            Softmax(log, [3, 2, 2, 33], -2), Softmax(log, [16, 8, 96, 96], -1, real: true), Softmax(log, [4, 15, 4096], 1, real: true),
        }),
    ];

    private static IEnumerable<OpCase> Sums(int[] sizes, int[] axes, bool keepDims, bool real = false)
    {
        // A mean of one half: sums do not cancel.
        CaseInput x = new("x", sizes) { Mean = 0.5 };
        string variant = Variant(x, axes, keepDims);
        yield return Case(
            typeof(SumOp),
            nameof(SumOp.Sum),
            variant,
            x,
            (tape, v) => tape.Sum(v, axes, keepDims),
            v => Grids.Reduce(sizes, v, axes, e => e.Sum()),
            real);
        yield return Case(
            typeof(SumOp),
            nameof(SumOp.Mean),
            variant,
            x,
            (tape, v) => tape.Mean(v, axes, keepDims),
            v => Grids.Reduce(sizes, v, axes, e => e.Average()),
            real);
    }

    private static OpCase Max(int[] sizes, int[] axes, bool keepDims, bool real = false, bool smooth = false)
    {
        CaseInput x = new("x", sizes);
        return Case(
            typeof(MaxOp),
            nameof(MaxOp.Max),
            Variant(x, axes, keepDims),
            x,
            (tape, v) => tape.Max(v, axes, keepDims),
            v => Grids.Reduce(sizes, v, axes, e => e.Max()),
            real,
            smooth);
    }

    private static OpCase Softmax(bool logarithm, int[] sizes, int axis, bool real = false)
    {
        CaseInput x = new("x", sizes) { Deviation = 2 };
        int at = (axis + sizes.Length) % sizes.Length;
        double[] Reference(double[] v)
        {
            int[] kept = [.. sizes.Select((size, i) => i == at ? 1 : size)];
            double[] sums = Grids.Reduce(sizes, v, [axis], e => e.Sum(Math.Exp));
            return [.. v.Select((e, i) => logarithm
                ? e - Math.Log(sums[Grids.Operand(kept, sizes, i)]) : Math.Exp(e) / sums[Grids.Operand(kept, sizes, i)])];
        }

        var c = new OpCase(typeof(SoftmaxOp), logarithm ? nameof(SoftmaxOp.LogSoftmax) : nameof(SoftmaxOp.Softmax), $"{x.Shape} over {axis}")
        {
            Inputs = [x],
            Run = (tape, v) => logarithm ? tape.LogSoftmax(v[0], axis) : tape.Softmax(v[0], axis),
            Reference = real ? null : v => Reference(v[0]),
            Work = new CaseWork(20.0 * x.Count, 3.0 * x.Count, 10.0 * x.Count, 4.0 * x.Count),
            Real = real,

            // One element: the softmax is always one.
            ValueAtLeast = sizes[at] == 1 ? 0.01 : 0,
            GradientAtLeast = sizes[at] == 1 ? 0.01 : 0,
        };
        return c;
    }

    private static OpCase Case(
        Type op, string method, string variant, CaseInput x, Func<Tape, Variable, Variable> run, Func<double[], double[]> reference, bool real,
            bool smooth = true) => new(op, method, variant)
            {
                Inputs = [x],
                Run = (tape, v) => run(tape, v[0]),
                Reference = real ? null : v => reference(v[0]),
                Work = new CaseWork(x.Count, x.Count, x.Count, 2.0 * x.Count),
                Real = real,
                Smooth = smooth && x.Count < 1000 && (op != typeof(MaxOp) || variant == "[5, 1, 3] over [-2], kept"),
            };

    private static string Variant(CaseInput x, int[] axes, bool keepDims) =>
        $"{x.Shape} over [{string.Join(", ", axes)}]{(keepDims ? ", kept" : "")}";
}
