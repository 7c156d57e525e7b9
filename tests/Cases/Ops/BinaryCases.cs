using Ldvc.Autograd;
using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Functions of two numbers and choices between them: equal shapes, shapes that are repeated, numbers.</summary>
internal static class BinaryCases
{
    // Equal; rows and columns that are repeated; both at once; a number; all six dimensions.
    private static readonly (int[] A, int[] B)[] s_shapes =
    [
        ([1], [1]), ([3, 5], [3, 5]), ([7, 37], [37]), ([37], [7, 37]), ([9, 33], [9, 1]), ([5, 1], [1, 19]), ([2, 3, 5], [3, 1]), ([4, 3], []),
            ([], [2, 2]),
        ([2, 1, 3, 1, 2, 3], [1, 4, 3, 2, 1, 3]), ([2, 3, 1], [1, 3, 1]), ([200, 3], [3]),
    ];

    internal static IEnumerable<OpCase> All =>
    [
        .. Function(typeof(AddOp), nameof(AddOp.Add), (tape, a, b) => tape.Add(a, b), (a, b) => a + b).Where(
            c => !c.Name.EndsWith("[1] and [1]", StringComparison.Ordinal)),
        .. Function(typeof(SubtractOp), nameof(SubtractOp.Subtract), (tape, a, b) => tape.Subtract(a, b), (a, b) => a - b),
        .. Function(typeof(MultiplyOp), nameof(MultiplyOp.Multiply), (tape, a, b) => tape.Multiply(a, b), (a, b) => a * b),
        .. Function(typeof(DivideOp), nameof(DivideOp.Divide), (tape, a, b) => tape.Divide(a, b), (a, b) => a / b),
        WithNumber(typeof(AddOp), nameof(AddOp.Add), "x + 1.5", (tape, x) => tape.Add(x, 1.5f), x => x + 1.5),
        WithNumber(typeof(SubtractOp), nameof(SubtractOp.Subtract), "x - 1.5", (tape, x) => tape.Subtract(x, 1.5f), x => x - 1.5),
        WithNumber(typeof(SubtractOp), nameof(SubtractOp.Subtract), "1.5 - x", (tape, x) => tape.Subtract(1.5f, x), x => 1.5 - x),
        WithNumber(typeof(DivideOp), nameof(DivideOp.Divide), "x / 1.5", (tape, x) => tape.Divide(x, 1.5f), x => x / 1.5),
        WithNumber(typeof(DivideOp), nameof(DivideOp.Divide), "1.5 / x", (tape, x) => tape.Divide(1.5f, x), x => 1.5 / x),
        WithItself(),
        .. Comparison(nameof(ComparisonOp.Greater), (tape, a, b) => tape.Greater(a, b), (a, b) => a > b),
        .. Comparison(nameof(ComparisonOp.GreaterOrEqual), (tape, a, b) => tape.GreaterOrEqual(a, b), (a, b) => a >= b),
        .. Comparison(nameof(ComparisonOp.Less), (tape, a, b) => tape.Less(a, b), (a, b) => a < b),
        .. Comparison(nameof(ComparisonOp.LessOrEqual), (tape, a, b) => tape.LessOrEqual(a, b), (a, b) => a <= b),
        .. Comparison(nameof(ComparisonOp.Equal), (tape, a, b) => tape.Equal(a, b), (a, b) => a == b),
        .. Comparison(nameof(ComparisonOp.NotEqual), (tape, a, b) => tape.NotEqual(a, b), (a, b) => a != b),
        Where([1], [1], [1]),
        Where([3, 37], [3, 37], [3, 37]),
        Where([5, 1], [5, 9], [9]),
        Where([4, 1, 3], [], [2, 1]),
        Where([1, 1025, 768], [1, 1025, 768], [768], real: true),
    ];

    private static IEnumerable<OpCase> Function(
        Type op, string method, Func<Tape, Variable, Variable, Variable> run, Func<double, double, double> value)
    {
        foreach (var (a, b) in s_shapes.Append(([16, 196, 128], [128])))
        {
            // Divisors stay away from zero.
            CaseInput first = new("a", a), second = new("b", b) { Mean = 3, Deviation = 0.4 };
            int count = Grids.Count(Grids.Broadcast(a, b));
            bool real = count > 100_000;
            yield return new OpCase(op, method, $"{first.Shape} and {second.Shape}")
            {
                Inputs = [first, second],
                Run = (tape, v) => run(tape, v[0], v[1]),
                Reference = real ? null : v => Grids.Map([a, b], v, e => value(e[0], e[1])),
                Work = new CaseWork(count, first.Count + second.Count + count, 3.0 * count, 3.0 * count),
                Real = real,
            };
        }
    }

    private static OpCase WithNumber(
        Type op, string method, string variant, Func<Tape, Variable, Variable> run, Func<double, double> value) => new(op, method, variant)
        {
            Inputs = [new CaseInput("x", 5, 7) { Mean = 3, Deviation = 0.4 }],
            Run = (tape, v) => run(tape, v[0]),
            Reference = v => [.. v[0].Select(value)],
            Work = CaseWork.Move(35, 35),
        };

    private static OpCase WithItself() => new(typeof(MultiplyOp), nameof(MultiplyOp.Multiply), "x * x")
    {
        Inputs = [new CaseInput("x", 5, 7)],
        Run = (tape, v) => tape.Multiply(v[0], v[0]),
        Reference = v => [.. v[0].Select(x => x * x)],
        Work = CaseWork.Move(35, 35),
    };

    // The second operand is whole numbers as often as the first: both rounded by the case, so that some are equal.
    private static IEnumerable<OpCase> Comparison(string method, Func<Tape, Variable, Variable, Variable> run, Func<double, double, bool> value)
    {
        foreach (var (a, b) in new (int[] A, int[] B)[] { ([1], [1]), ([3, 37], [3, 37]), ([6, 35], [35]), ([5, 1], [1, 3]), ([1025, 768], [768]) })
        {
            int count = Grids.Count(Grids.Broadcast(a, b));
            bool real = count > 100_000;
            CaseInput first = new("a", a) { Whole = true }, second = new("b", b) { Whole = true };
            yield return new OpCase(typeof(ComparisonOp), method, $"{first.Shape} and {second.Shape}")
            {
                Inputs = [first, second],
                Run = (tape, v) => run(tape, v[0], v[1]),
                Reference = real ? null : v => Grids.Map([a, b], v, e => value(e[0], e[1]) ? 1 : 0),
                Work = CaseWork.Move(first.Count + second.Count, count),
                Real = real,
                Differentiable = false,
            };
        }
    }

    private static OpCase Where(int[] mask, int[] a, int[] b, bool real = false)
    {
        CaseInput first = new("a", a), second = new("b", b);
        int count = Grids.Count(Grids.Broadcast(mask, Grids.Broadcast(a, b)));
        string variant = $"{new CaseInput("mask", mask).Shape}, {first.Shape}, {second.Shape}";
        int[] choices = CaseRandom.Integers(variant, Grids.Count(mask), 2);
        return new OpCase(typeof(WhereOp), nameof(WhereOp.Where), variant)
        {
            Inputs = [first, second],
            Run = (tape, v) => tape.Where(tape.Constant(tape.Device.FromHost([.. choices.Select(c => 2f * c)], new Tensors.Shape(mask))), v[0], v[1]),
            Reference = real ? null : v => Grids.Map([mask, a, b], [[.. choices.Select(c => (double)c)], .. v], e => e[0] != 0 ? e[1] : e[2]),
            Work = CaseWork.Move(first.Count + second.Count + choices.Length, count),
            Real = real,
        };
    }
}
