using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Batched products, in all four ways of storing, with and without a batch on either side.</summary>
internal static class MatMulCases
{
    internal static IEnumerable<OpCase> All =>
    [
        .. Forms([], [], 1, 1, 1), .. Forms([], [], 5, 7, 3), .. Forms([3], [3], 4, 9, 5), .. Forms([3], [], 5, 6, 4), .. Forms([], [3], 5, 6, 4),
            .. Forms([2, 3], [2, 3], 3, 17, 2),
        .. Forms([2, 3], [1, 1], 3, 4, 19), .. Forms([1], [2, 2], 4, 3, 5), .. Forms([2], [2], 33, 35, 40),
        Case([16, 12], [16, 12], 196, 196, 64, false, true, real: true), Case([16], [], 196, 512, 768, false, false, real: true),
    ];

    private static OpCase[] Forms(int[] batchA, int[] batchB, int m, int n, int k) =>
        [Case(batchA, batchB, m, n, k, false, false), Case(batchA, batchB, m, n, k, false, true), Case(batchA, batchB, m, n, k, true, false),
            Case(batchA, batchB, m, n, k, true, true)];

    private static OpCase Case(int[] batchA, int[] batchB, int m, int n, int k, bool transposeA, bool transposeB, bool real = false)
    {
        CaseInput a = new("a", [.. batchA, transposeA ? k : m, transposeA ? m : k]), b = new(
            "b", [.. batchB, transposeB ? n : k, transposeB ? k : n])
        { Deviation = 1 / Math.Sqrt(k) };
        int[] batch = Grids.Broadcast(batchA, batchB);
        int count = Grids.Count(batch);
        double[] Reference(double[][] v)
        {
            var y = new double[count * m * n];
            for (int i = 0; i < y.Length; i++)
            {
                int row = i / n % m, column = i % n, at = i / (m * n);
                int first = Grids.Operand(batchA, batch, at) * m * k, second = Grids.Operand(batchB, batch, at) * k * n;
                for (int j = 0; j < k; j++)
                {
                    y[i] += v[0][first + (transposeA ? (j * m) + row : (row * k) + j)] * v[1][second
                        + (transposeB ? (column * k) + j : (j * n) + column)];
                }
            }

            return y;
        }

        double product = 2.0 * count * m * n * k, moved = a.Count + b.Count + ((double)count * m * n);
        return new OpCase(typeof(MatMulOp), nameof(MatMulOp.MatMul), $"{a.Shape}{(transposeA ? "^T" : "")} by {b.Shape}{(transposeB ? "^T" : "")}")
        {
            Inputs = [a, b],
            Run = (tape, v) => tape.MatMul(v[0], v[1], transposeA, transposeB),
            Reference = real ? null : Reference,
            Work = new CaseWork(product, moved, 2 * product, 2 * moved),
            Real = real,
        };
    }
}
