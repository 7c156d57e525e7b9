using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.Normalization;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>Layer normalisation of two matrices one after the other, and its gradient in a residual block.</summary>
internal static class NormalizationKernelCases
{
    private const float Epsilon = 1e-5f;

    internal static IEnumerable<KernelCase> All =>
    [
        After(0, 3, 5), After(2, 3, 7), After(5, 4, 16), After(5, 60, 512, real: true),
        Gradient(0, 3, 5, true), Gradient(2, 3, 7, false), Gradient(2, 2, 8, true), Gradient(5, 60, 512, true, real: true),
    ];

    private static KernelCase After(int first, int own, int columns, bool real = false)
    {
        string variant = $"{first} + {own} rows of {columns}";
        int rows = first + own;
        return new KernelCase(typeof(INormalizationKernels), nameof(INormalizationKernels.LayerNormAfter), variant, device =>
        {
            var run = new KernelRun(device);
            float[] a = CaseRandom.Normal($"first {variant}", Math.Max(1, first) * columns), b = CaseRandom.Normal(
                $"x {variant}", own * columns, 0.5);
            float[] gamma = CaseRandom.Normal($"gamma {variant}", columns), beta = CaseRandom.Normal($"beta {variant}", columns);
            Tensor before = run.Floats(a), x = run.Floats(b), g = run.Floats(gamma), shift = run.Floats(beta);
            Tensor y = run.Empty(rows * columns), mean = run.Empty(rows), rstd = run.Empty(rows);
            run.Launch = () => run.Kernels.Normalization.LayerNormAfter(
                first > 0 ? before : default(View), first, x, g, shift, y, mean, rstd, rows, columns, Epsilon);
            run.Compare = real ? null : () =>
            {
                float[] joined = [.. a.Take(first * columns), .. b];
                double[] expected = [.. joined.Select((_, i) => (Normalized(joined, i, columns) * gamma[i % columns]) + beta[i % columns])];
                return [CaseDifference.Of("y", expected, y.ToArray(), 2e-6)];
            };
            return run;
        })
        {
            Work = new CaseWork(8.0 * rows * columns, 2.0 * rows * columns),
            Real = real,
        };
    }

    private static KernelCase Gradient(int first, int own, int columns, bool before, bool real = false)
    {
        string variant = $"{first} + {own} rows of {columns}{(before ? " after another" : "")}";
        int rows = first + own;
        return new KernelCase(typeof(INormalizationKernels), nameof(INormalizationKernels.LayerNormInputGradient), variant, device =>
        {
            var run = new KernelRun(device);
            float[] a = CaseRandom.Normal($"first {variant}", Math.Max(1, first) * columns), b = CaseRandom.Normal(
                $"x {variant}", own * columns, 0.5);
            float[] gamma = CaseRandom.Normal($"gamma {variant}", columns), dy = CaseRandom.Normal($"dy {variant}", rows * columns);
            float[] past = CaseRandom.Normal($"past {variant}", own * columns), firstPast = CaseRandom.Normal(
                $"first past {variant}", Math.Max(1, first) * columns);
            double[] means = [.. Enumerable.Range(0, rows).Select(row => Row(a, b, first, row, columns).Average())];
            double[] rstds = [.. Enumerable.Range(0, rows)
                .Select(row => 1 / Math.Sqrt(Row(a, b, first, row, columns).Average(v => (v - means[row]) * (v - means[row])) + Epsilon))];
            Tensor leading = run.Floats(a), x = run.Floats(b), g = run.Floats(gamma), d = run.Floats(dy), p = run.Floats(past),
                leadingDx = run.Floats(firstPast);
            Tensor mean = run.Floats([.. means.Select(v => (float)v)]), rstd = run.Floats(
                [.. rstds.Select(v => (float)v)]), dx = run.Empty(own * columns);
            var gradient = new LayerNormGradient(x, g, mean, rstd, new GemmParts(d), dx, rows, columns)
            {
                Before = before ? p : default(View),
                First = first > 0 ? leading : default(View),
                FirstDx = first > 0 ? leadingDx : default(View),
                FirstRows = first,
            };
            run.Launch = () => run.Kernels.Normalization.LayerNormInputGradient(gradient);
            run.Compare = real ? null : () =>
            {
                double[] all = new double[rows * columns];
                for (int row = 0; row < rows; row++)
                {
                    double[] hat = [.. Row(a, b, first, row, columns).Select(v => (v - means[row]) * rstds[row])];
                    double[] weighted = [.. hat.Select((_, i) => (double)dy[(row * columns) + i] * gamma[i])];
                    double average = weighted.Average(), along = weighted.Zip(hat, (u, v) => u * v).Average();
                    for (int i = 0; i < columns; i++)
                    {
                        all[(row * columns) + i] = rstds[row] * (weighted[i] - average - (hat[i] * along));
                    }
                }

                int split = first * columns;
                var differences = new List<CaseDifference>
                {
                    CaseDifference.Of("dx", [.. all.Skip(split).Select((v, i) => v + (before ? past[i] : 0))], dx.ToArray(), 2e-5),
                };
                if (first > 0)
                {
                    differences.Add(
                        CaseDifference.Of("first dx", [.. all.Take(split).Select((v, i) => v + firstPast[i])], leadingDx.ToArray(), 2e-5));
                }

                return differences;
            };
            return run;
        })
        {
            Work = new CaseWork(14.0 * rows * columns, 4.0 * rows * columns),
            Real = real,
        };
    }

    private static double[] Row(float[] first, float[] x, int firstRows, int row, int columns) =>
        [.. (row < firstRows ? first.Skip(row * columns) : x.Skip((row - firstRows) * columns)).Take(columns).Select(v => (double)v)];

    private static double Normalized(float[] values, int i, int columns)
    {
        double[] row = [.. values.Skip(i / columns * columns).Take(columns).Select(v => (double)v)];
        double mean = row.Average();
        return (row[i % columns] - mean) / Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + Epsilon);
    }
}
