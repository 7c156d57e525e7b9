using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>alpha A B^T, alone and in batches.</summary>
internal static class MatMulTransposedCases
{
    internal static IEnumerable<OpCase> All =>
    [
        Case(0, 1, 1, 1, 1f),
        Case(0, 5, 3, 7, 1f),
        Case(0, 19, 8, 21, 0.25f),
        Case(2, 9, 11, 16, 0.3f),
        Case(3, 1, 13, 40, -1.5f),
        Case(3, 33, 21, 40, 1f),
        Case(4, 15, 1024, 512, 1f / 64, real: true),
    ];

    private static OpCase Case(int batch, int m, int n, int k, float alpha, bool real = false)
    {
        int[] outer = batch == 0 ? [] : [batch];
        int count = Math.Max(1, batch);
        double product = 2.0 * count * m * n * k, a = (double)count * m * k, b = (double)count * n * k, y = (double)count * m * n;
        return new OpCase(
            typeof(MatMulTransposedOp),
            nameof(MatMulTransposedOp.MatMulTransposed),
            $"{(batch == 0 ? "" : $"{batch} x ")}[{m}, {k}] by [{n}, {k}] alpha {alpha}")
        {
            Inputs = [new("a", [.. outer, m, k]), new("b", [.. outer, n, k])],
            Run = (tape, v) => tape.MatMulTransposed(v[0], v[1], alpha),
            Reference = real ? null : v => Reference(v[0], v[1], alpha, count, m, n, k),
            Work = new CaseWork(product, a + b + y, 2 * product, (2 * a) + (2 * b) + (2 * y)),
            Real = real,
        };
    }

    private static double[] Reference(double[] a, double[] b, double alpha, int batch, int m, int n, int k)
    {
        var y = new double[batch * m * n];
        for (int i = 0; i < y.Length; i++)
        {
            int image = i / (m * n), row = i / n % m, column = i % n;
            for (int j = 0; j < k; j++)
            {
                y[i] += alpha * a[(((image * m) + row) * k) + j] * b[(((image * n) + column) * k) + j];
            }
        }

        return y;
    }
}
