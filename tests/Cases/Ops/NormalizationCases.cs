using Ldvc.Autograd.Ops;

namespace Ldvc.Cases.Ops;

/// <summary>Layer normalisation and scaling to unit length.</summary>
internal static class NormalizationCases
{
    internal static IEnumerable<OpCase> All =>
    [
        LayerNorm([1, 3], 0), LayerNorm([2, 5, 7], 0), LayerNorm([3, 37], 2), LayerNorm([9, 128], -1), LayerNorm([1, 333], 0), LayerNorm(
            [1, 1025, 768], 0, real: true),
        AddLayerNorm([1, 3], 0),
        AddLayerNorm([2, 5, 8], 0),
        AddLayerNorm([3, 37], 0.3f),
        AddLayerNorm([2, 3, 12], 0.3f),
        AddLayerNorm([2, 3, 128], 0.1f),
        AddLayerNorm([1, 1024, 512], 0.1f, real: true),
        L2Normalize([1, 1]), L2Normalize([4, 3]), L2Normalize([2, 5, 19]), L2Normalize([3, 130]), L2Normalize([1, 1024, 512], real: true),
    ];

    private static OpCase LayerNorm(int[] sizes, double mean, bool real = false)
    {
        const float epsilon = 1e-5f;
        int columns = sizes[^1];
        CaseInput x = new("x", sizes) { Mean = mean, Deviation = 1.5 };
        return new OpCase(typeof(LayerNormOp), nameof(LayerNormOp.LayerNorm), $"{x.Shape} mean {mean}")
        {
            Inputs = [x, new("gamma", columns) { Mean = 1, Deviation = 0.5 }, new("beta", columns)],
            Run = (tape, v) => tape.LayerNorm(v[0], v[1], v[2], epsilon),
            Reference = real ? null : v => LayerNorm(v[0], v[1], v[2], columns, epsilon),
            Work = new CaseWork(8.0 * x.Count, (2.0 * x.Count) + (2.0 * columns), 14.0 * x.Count, (3.0 * x.Count) + (3.0 * columns)),
            Real = real,
        };
    }

    private static OpCase AddLayerNorm(int[] sizes, float probability, bool real = false)
    {
        const float epsilon = 1e-5f;
        int columns = sizes[^1];
        CaseInput x = new("x", sizes) { Deviation = 1.5 };
        OpCase c = null!;
        c = new OpCase(typeof(AddLayerNormOp), nameof(AddLayerNormOp.AddLayerNorm), $"{x.Shape} p {probability}")
        {
            Inputs = [x, new("branch", sizes), new("gamma", columns) { Mean = 1, Deviation = 0.5 }, new("beta", columns)],
            Run = (tape, v) => tape.AddLayerNorm(v[0], v[1], probability, v[2], v[3], epsilon),
            Reference = real ? null : v => LayerNorm(
                [.. v[0].Select((e, i) => e + (v[1][i] * (probability == 0
                    ? 1 : Formulas.DropoutFactor(CaseRandom.DropoutKey(c.Seed, 0), i, probability))))], v[2], v[3], columns, epsilon),
            Work = new CaseWork(9.0 * x.Count, (3.0 * x.Count) + (2.0 * columns), 15.0 * x.Count, (4.0 * x.Count) + (3.0 * columns)),
            Real = real,
            Random = probability > 0,
        };
        return c;
    }

    private static double[] LayerNorm(double[] x, double[] gamma, double[] beta, int columns, double epsilon)
    {
        var y = new double[x.Length];
        for (int start = 0; start < x.Length; start += columns)
        {
            double mean = 0, variance = 0;
            for (int i = 0; i < columns; i++)
            {
                mean += x[start + i] / columns;
            }

            for (int i = 0; i < columns; i++)
            {
                variance += (x[start + i] - mean) * (x[start + i] - mean) / columns;
            }

            for (int i = 0; i < columns; i++)
            {
                y[start + i] = ((x[start + i] - mean) / Math.Sqrt(variance + epsilon) * gamma[i]) + beta[i];
            }
        }

        return y;
    }

    private static OpCase L2Normalize(int[] sizes, bool real = false)
    {
        int columns = sizes[^1];
        CaseInput x = new("x", sizes) { Mean = 0.3 };
        return new OpCase(typeof(L2NormalizeOp), nameof(L2NormalizeOp.L2Normalize), x.Shape.ToString())
        {
            Inputs = [x],
            Run = (tape, v) => tape.L2Normalize(v[0]),
            Reference = real ? null : v => L2Normalize(v[0], columns),
            Work = new CaseWork(3.0 * x.Count, 2.0 * x.Count, 5.0 * x.Count, 3.0 * x.Count),
            Real = real,

            // One column: the direction of a number never changes, its gradient is zero up to the rounding of 1 - y y.
            GradientAtLeast = columns == 1 ? 0.1 : 0,
        };
    }

    private static double[] L2Normalize(double[] x, int columns)
    {
        var y = new double[x.Length];
        for (int start = 0; start < x.Length; start += columns)
        {
            double sum = 0;
            for (int i = 0; i < columns; i++)
            {
                sum += x[start + i] * x[start + i];
            }

            for (int i = 0; i < columns; i++)
            {
                y[start + i] = x[start + i] / Math.Sqrt(sum);
            }
        }

        return y;
    }
}
