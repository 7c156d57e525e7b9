using Ldvc.Autograd.Ops;
using Ldvc.Kernels;

namespace Ldvc.Cases.Ops;

/// <summary>y = activation(x W^T + b) + residual.</summary>
internal static class LinearCases
{
    internal static IEnumerable<OpCase> All =>
    [
        Case([1], 1, 1, false, Activation.None, false),
        Case([3, 5], 7, 11, true, Activation.None, false),
        Case([2, 3], 64, 9, true, Activation.QuickGelu, false),
        Case([13], 33, 9, true, Activation.Relu, true),
        Case([5], 17, 19, false, Activation.None, true),
        Case([1, 1], 40, 70, true, Activation.QuickGelu, true),
        Case([2, 37], 29, 131, true, Activation.Relu, false),
        Case([4, 7], 31, 37, true, Activation.Gelu, true),
        Case([3], 700, 18, true, Activation.None, true),
        Case([1025], 768, 3072, true, Activation.QuickGelu, false, real: true),
        Joined([1], 1, [1]),
        Joined([2, 3], 5, [3, 7]),
        Joined([13], 33, [8, 8, 8]),
        Joined([4, 7], 31, [37, 5, 11]),
        Joined([1024], 512, [512, 512, 512], real: true),
    ];

    private static OpCase Joined(int[] outer, int k, int[] outputs, bool real = false)
    {
        int rows = outer.Aggregate(1, (a, b) => a * b), n = outputs.Sum(), maps = outputs.Length;
        CaseInput[] inputs =
        [
            new("x", [.. outer, k]), .. outputs.Select((o, i) => new CaseInput($"weight{i}", o, k) { Deviation = 1 / Math.Sqrt(k) }),
                .. outputs.Select((o, i) => new CaseInput($"bias{i}", o)),
        ];
        double product = 2.0 * rows * n * k;
        return new OpCase(
            typeof(JoinedLinearOp), nameof(JoinedLinearOp.JoinedLinear), $"[{string.Join(", ", outer)}, {k}] -> {string.Join(" + ", outputs)}")
        {
            Inputs = inputs,
            Run = (tape, v) => tape.JoinedLinear(v[0], v.AsSpan(1, maps), v.AsSpan(1 + maps)),
            Reference = real ? null : v =>
            {
                double[] weight = [.. v[1..(1 + maps)].SelectMany(w => w)], bias = [.. v[(1 + maps)..].SelectMany(b => b)];
                return Reference(v[0], weight, bias, Activation.None, null, rows, k, n);
            },
            Work = new CaseWork(
                product, ((double)rows * k) + ((double)n * k) + ((double)rows * n), 2 * product, (3.0 * rows * n) + (2.0 * rows * k) + (2.0 * n * k)),
            Real = real,
        };
    }

    private static OpCase Case(int[] outer, int k, int n, bool bias, Activation activation, bool residual, bool real = false)
    {
        int rows = outer.Aggregate(1, (a, b) => a * b);
        CaseInput[] inputs = [new("x", [.. outer, k]), new("weight", n, k) { Deviation = 1 / Math.Sqrt(k) }];
        int biasAt = bias ? inputs.Length : -1;
        inputs = bias ? [.. inputs, new("bias", n)] : inputs;
        int residualAt = residual ? inputs.Length : -1;
        inputs = residual ? [.. inputs, new("residual", [.. outer, n])] : inputs;
        string options = (bias ? " bias" : "") + (activation == Activation.None ? "" : $" {activation}") + (residual ? " residual" : "");
        double product = 2.0 * rows * n * k, small = ((residual ? 2.0 : 1) * rows * n) + (bias ? n : 0);
        return new OpCase(typeof(LinearOp), nameof(LinearOp.Linear), $"[{string.Join(", ", outer)}, {k}] -> {n}{options}")
        {
            Inputs = inputs,
            Run = (tape, v) => tape.Linear(v[0], v[1], bias ? v[biasAt] : null, activation, residual ? v[residualAt] : null),
            Reference = real ? null : v => Reference(v[0], v[1], bias ? v[biasAt] : null, activation, residual ? v[residualAt] : null, rows, k, n),
            Work = new CaseWork(
                product, ((double)rows * k) + ((double)n * k) + small, 2 * product, (3.0 * rows * n) + (2.0 * rows * k) + (2.0 * n * k)),
            Smooth = activation != Activation.Relu,
            Real = real,
        };
    }

    private static double[] Reference(double[] x, double[] weight, double[]? bias, Activation activation, double[]? residual, int rows, int k, int n)
    {
        var y = new double[rows * n];
        for (int i = 0; i < y.Length; i++)
        {
            double sum = bias?[i % n] ?? 0;
            for (int j = 0; j < k; j++)
            {
                sum += x[(i / n * k) + j] * weight[(i % n * k) + j];
            }

            y[i] = Formulas.Activate(sum, activation) + (residual?[i] ?? 0);
        }

        return y;
    }
}
