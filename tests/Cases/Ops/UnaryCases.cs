using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Kernels;

namespace Ldvc.Cases.Ops;

/// <summary>Functions of one number.</summary>
internal static class UnaryCases
{
    internal static IEnumerable<OpCase> All =>
    [
        .. Function(nameof(UnaryOp.Negate), (tape, x) => tape.Negate(x), x => -x),
        .. Function(nameof(UnaryOp.Exp), (tape, x) => tape.Exp(x), Math.Exp),
        .. Function(nameof(UnaryOp.Log), (tape, x) => tape.Log(x), Math.Log, mean: 3, deviation: 0.4),
        .. Function(nameof(UnaryOp.Sqrt), (tape, x) => tape.Sqrt(x), Math.Sqrt, mean: 3, deviation: 0.4),
        .. Function(nameof(UnaryOp.Square), (tape, x) => tape.Square(x), x => x * x),
        .. Function(nameof(UnaryOp.Relu), (tape, x) => tape.Relu(x), x => Math.Max(x, 0), smooth: false),
        .. Function(nameof(UnaryOp.Gelu), (tape, x) => tape.Gelu(x), x => Formulas.Activate(x, Activation.Gelu), deviation: 2),
        .. Function(nameof(UnaryOp.QuickGelu), (tape, x) => tape.QuickGelu(x), x => Formulas.Activate(x, Activation.QuickGelu), deviation: 2),
        .. Function(nameof(UnaryOp.Sigmoid), (tape, x) => tape.Sigmoid(x), Formulas.Sigmoid, deviation: 2),
        .. Function(nameof(UnaryOp.Tanh), (tape, x) => tape.Tanh(x), Math.Tanh),
    ];

    private static IEnumerable<OpCase> Function(
        string method, Func<Tape, Variable, Variable> run, Func<double, double> value, double mean = 0, double deviation = 1, bool smooth = true)
    {
        foreach (int[] sizes in new int[][] { [1], [3, 37], [2, 5, 129], [1, 1025, 768] })
        {
            CaseInput x = new("x", sizes) { Mean = mean, Deviation = deviation };
            bool real = x.Count > 100_000;
            yield return new OpCase(typeof(UnaryOp), method, x.Shape.ToString())
            {
                Inputs = [x],
                Run = (tape, v) => run(tape, v[0]),
                Reference = real ? null : v => [.. v[0].Select(value)],
                Work = new CaseWork(10.0 * x.Count, 2.0 * x.Count, 10.0 * x.Count, 3.0 * x.Count),
                Real = real,
                Smooth = smooth,
            };
        }

        if (!smooth)
        {
            // Far from the kink.
            yield return new OpCase(typeof(UnaryOp), method, "[4, 9] above zero")
            {
                Inputs = [new CaseInput("x", 4, 9) { Mean = 3, Deviation = 0.3 }],
                Run = (tape, v) => run(tape, v[0]),
                Reference = v => [.. v[0].Select(value)],
                Work = CaseWork.Move(36, 36),
            };
        }
    }
}
