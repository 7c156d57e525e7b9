using Ldvc.Kernels.Reduction;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>Reductions whose result the host needs.</summary>
internal static class ReductionCases
{
    private const int RealCount = 1025 * 768;

    internal static IEnumerable<KernelCase> All =>
    [
        .. new[] { 1, 5, 37, 1000, 40001, RealCount }.SelectMany(Finite),
        NotFinite(1, 0, float.NaN),
        NotFinite(37, 36, float.PositiveInfinity),
        NotFinite(37, 20, float.NaN),
        NotFinite(2049, 1030, float.NegativeInfinity),
        NotFinite(40001, 40000, float.NaN), NotFinite(40001, 17, float.NaN),
        MaxWithNaN(2, 7, 1, 9), MaxWithNaN(2, 300, 1, 0), MaxWithNaN(1, 41, 5, 203), MaxWithNaN(2, 9, 37, 400), MaxWithNaN(1, 20000, 1, 777),
        Scale(1), Scale(37), Scale(40001),
        Clip(1e3, [37, 5]), Clip(0.5, [1, 4097, 300, 8192]), Clip(0, [9000]), Clip(1, []),
        First(-1, [37, 5]), First(0, [9000]), First(1, [1, 4097, 300, 8192]), First(3, [1, 4097, 300, 8192]),
    ];

    // One NaN in the slices of an outer index: it is the largest of its slice, and of no other.
    private static KernelCase MaxWithNaN(int outer, int length, int inner, int at)
    {
        string variant = $"{outer} x {length} x {inner} with NaN at {at}";
        return new KernelCase(typeof(IReductionKernels), nameof(IReductionKernels.MaxAxis), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal(variant, outer * length * inner);
            values[at] = float.NaN;
            Tensor x = run.Floats(values), y = run.Empty(outer * inner);
            run.Launch = () => run.Kernels.Reduction.MaxAxis(x, y, outer, length, inner);

            // A NaN is told apart as a number that is no maximum.
            double Of(int slice) => Enumerable.Range(0, length).Select(i => values[(((slice / inner * length) + i) * inner) + (slice % inner)]).Max(
                v => float.IsNaN(v) ? 100.0 : v);
            run.Compare = () => [CaseDifference.Of(
                "y", [.. Enumerable.Range(0, outer * inner).Select(Of)], [.. y.ToArray().Select(v => float.IsNaN(v) ? 100.0 : v)], 0)];
            return run;
        })
        {
            Work = new CaseWork(outer * length * inner, outer * length * inner),
        };
    }

    // The power of two that brings the largest value into 8 .. 16.
    private static KernelCase Scale(int count)
    {
        string variant = $"{count}";
        return new KernelCase(typeof(IReductionKernels), nameof(IReductionKernels.GradientScale), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal(variant, count, 1e-7);
            Tensor x = run.Floats(values), scale = run.Empty(2);
            run.Launch = () => run.Kernels.Reduction.GradientScale(x, count, scale);
            double exponent = 3 - Math.Floor(Math.Log2(values.Max(MathF.Abs)));
            run.Compare = () => [CaseDifference.Of(
                "scale", [Math.Pow(2, exponent), 1], [scale.ToArray()[0], scale.ToArray()[0] * scale.ToArray()[1]], 0)];
            return run;
        })
        {
            Work = new CaseWork(count, count),
        };
    }

    // The factor that brings the norm of a list to a bound, and the norm; 1 where it is below.
    private static KernelCase Clip(double bound, int[] counts)
    {
        string variant = $"[{string.Join(", ", counts)}] to {bound}";
        return new KernelCase(typeof(IReductionKernels), nameof(IReductionKernels.ClipFactor), variant, device =>
        {
            var run = new KernelRun(device);
            float[][] values = [.. counts.Select((count, i) => CaseRandom.Normal($"{variant} {i}", count))];
            TensorPart[] parts = [.. values.Select(v => new TensorPart(run.Floats(v), v.Length))];
            var result = run.Empty(2);
            double norm = Math.Sqrt(values.Sum(v => v.Sum(x => (double)x * x)));
            run.Launch = () => run.Kernels.Reduction.ClipFactor(parts, bound, result);
            run.Compare = () =>
            [
                CaseDifference.Of("factor", [norm > bound ? bound / (norm + 1e-6) : 1], result.ToArray().AsSpan(0, 1), 1e-7),
                CaseDifference.Of("norm", [norm], result.ToArray().AsSpan(1, 1), 1e-7),
            ];
            return run;
        })
        {
            Work = new CaseWork(2.0 * counts.Sum(), counts.Sum()),
        };
    }

    // The first bad tensor of a list, and every second one after it.
    private static KernelCase First(int bad, int[] counts)
    {
        string variant = $"[{string.Join(", ", counts)}], first bad {bad}";
        return new KernelCase(typeof(IReductionKernels), nameof(IReductionKernels.FindNotFinite), variant, device =>
        {
            var run = new KernelRun(device);
            TensorPart[] parts = [.. counts.Select((count, i) =>
            {
                float[] values = CaseRandom.Normal($"{variant} {i}", count);
                values[^1] = bad >= 0 && i >= bad && (i - bad) % 2 == 0 ? float.NegativeInfinity : values[^1];
                return new TensorPart(run.Floats(values), count);
            })];
            var found = run.Empty(1, DType.Int32);
            run.Launch = () => run.Kernels.Reduction.FindNotFinite(parts, found);
            run.Compare = () => [CaseDifference.Of("found", [bad < 0 ? 0 : counts.Length - bad], [found.ToArray<int>()[0]], 0)];
            return run;
        })
        {
            Work = new CaseWork(counts.Sum(), counts.Sum()),
        };
    }

    private static IEnumerable<KernelCase> Finite(int count)
    {
        KernelCase Case(string method, Func<IReductionKernels, View, double> call, Func<double[], double> expected, double allowed)
        {
            string variant = $"{count}";
            return new KernelCase(typeof(IReductionKernels), method, variant, device =>
            {
                var run = new KernelRun(device);
                float[] values = CaseRandom.Normal($"{method} {variant}", count, 0.1);
                var x = run.Floats(values);
                double result = 0;
                run.Launch = () => result = call(run.Kernels.Reduction, x);
                double[] exact = Array.ConvertAll(values, v => (double)v);
                run.Compare = () => [CaseDifference.Of(
                    "result", [expected(exact)], [result], allowed, method == nameof(IReductionKernels.Sum) ? exact.Sum(Math.Abs) : 0)];
                return run;
            })
            {
                Work = new CaseWork(count, count),
                Real = count == RealCount,
            };
        }

        // Sums are accumulated in double.
        yield return Case(nameof(IReductionKernels.Sum), (k, x) => k.Sum(x, count), x => x.Sum(), 1e-9);
        yield return Case(nameof(IReductionKernels.SumOfSquares), (k, x) => k.SumOfSquares(x, count), x => x.Sum(v => v * v), 1e-9);
        yield return Case(nameof(IReductionKernels.MaxAbs), (k, x) => k.MaxAbs(x, count), x => x.Max(Math.Abs), 0);
        yield return Case(nameof(IReductionKernels.AllFinite), (k, x) => k.AllFinite(x, count) ? 1 : 0, _ => 1, 0);
    }

    private static KernelCase NotFinite(int count, int position, float value)
    {
        string variant = $"{count} with {value} at {position}";
        return new KernelCase(typeof(IReductionKernels), nameof(IReductionKernels.AllFinite), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal(variant, count);
            values[position] = value;
            var x = run.Floats(values);
            bool finite = true;
            float largest = 0;
            run.Launch = () => (finite, largest) = (run.Kernels.Reduction.AllFinite(x, count), run.Kernels.Reduction.MaxAbs(x, count));

            // The largest absolute value is the infinity, or the NaN.
            run.Compare = () =>
            [
                CaseDifference.Of("finite", [0], [finite ? 1.0 : 0], 0),
                CaseDifference.Of(
                    "largest is not finite", [1, float.IsNaN(value) ? 1 : 0], [float.IsFinite(largest) ? 0.0 : 1, float.IsNaN(largest) ? 1.0 : 0], 0),
            ];
            return run;
        })
        {
            Work = new CaseWork(count, count),
        };
    }
}
