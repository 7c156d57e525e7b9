using Ldvc.Cases.Ops;
using Ldvc.Kernels;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>Element-wise kernels by themselves: every activation, accumulation, outputs that are inputs.</summary>
internal static class ElementwiseKernelCases
{
    private const int RealCount = 1025 * 3072;

    internal static IEnumerable<KernelCase> All =>
    [
        .. new[] { 1, 37, 20003 }.SelectMany(Small),
        .. Real,
    ];

    private static IEnumerable<KernelCase> Real =>
    [
        Case(
            nameof(IElementwiseKernels.ActivateBackward),
            "quick gelu",
            RealCount,
            3,
            (k, a, b, y) => k.ActivateBackward(a, b, y, Activation.QuickGelu, false, RealCount)),
        Case(nameof(IElementwiseKernels.ColumnSums), "1025 x 3072", RealCount, 1, (k, a, _, y) => k.ColumnSums(a, y, 1025, 3072)),
    ];

    private static IEnumerable<KernelCase> Small(int n)
    {
        foreach (var activation in Enum.GetValues<Activation>())
        {
            yield return Case(
                nameof(IElementwiseKernels.ActivateBackward),
                $"{activation}",
                n,
                3,
                (k, a, b, y) => k.ActivateBackward(a, b, y, activation, false, n),
                (a, b, _, _) => b * Formulas.Derivative(a, activation));
            yield return Case(
                nameof(IElementwiseKernels.ActivateBackward),
                $"{activation} accumulate",
                n,
                4,
                (k, a, b, y) => k.ActivateBackward(a, b, y, activation, true, n),
                (a, b, y, _) => y + (b * Formulas.Derivative(a, activation)));
        }

        yield return Case(nameof(IElementwiseKernels.Add), "in place", n, 3, (k, a, _, y) => k.Add(y, a, y, n), (a, _, y, _) => y + a);
        yield return Case(
            nameof(IElementwiseKernels.Scale), "in place", n, 2, (k, _, _, y) => k.Scale(y, -1.7f, y, false, n), (_, _, y, _) => -1.7f * y);
        yield return Case(nameof(IElementwiseKernels.Fill), "plain", n, 1, (k, _, _, y) => k.Fill(y, 0.7f, n), (_, _, _, _) => 0.7f);
        yield return Case(
            nameof(IElementwiseKernels.Binary),
            "multiply",
            n,
            3,
            (k, a, b, y) => k.Binary<Multiply>(a, b, y, false, BroadcastLayout.Dense(n)),
            (a, b, _, _) => a * b);
        yield return Case(
            nameof(IElementwiseKernels.Binary),
            "multiply accumulate",
            n,
            4,
            (k, a, b, y) => k.Binary<Multiply>(a, b, y, true, BroadcastLayout.Dense(n)),
            (a, b, y, _) => y + (a * b));
        yield return Case(
            nameof(IElementwiseKernels.Binary),
            "multiply in place",
            n,
            3,
            (k, a, _, y) => k.Binary<Multiply>(a, y, y, false, BroadcastLayout.Dense(n)),
            (a, _, y, _) => y * a);
        yield return Case(
            nameof(IElementwiseKernels.Dropout), "in place", n, 2, (k, _, _, y) => k.Dropout(y, y, 0.3f, 0x1234567890ABCDEF, false, n),
            (_, _, y, i) => y * Formulas.DropoutFactor(0x1234567890ABCDEF, i, 0.3f));
    }

    // y starts with random values, as every target does that may be added to.
    private static KernelCase Case(
        string method, string variant, int count, int moved, Action<IElementwiseKernels, View, View, View> call,
            Func<double, double, double, int, double>? expected = null)
    {
        string name = $"{variant} {count}";
        return new KernelCase(typeof(IElementwiseKernels), method, name, device =>
        {
            var run = new KernelRun(device);
            float[] a = CaseRandom.Normal(
                $"a {method} {name}",
                count,
                0,
                2), b = CaseRandom.Normal($"b {method} {name}", count), before = CaseRandom.Normal($"y {method} {name}", count);
            Tensor x = run.Floats(a), second = run.Floats(b), y = run.Floats(before);
            run.Launch = () => call(run.Kernels.Elementwise, x, second, y);
            run.Compare = expected is null
                ? null
                : () => [CaseDifference.Of("y", [.. Enumerable.Range(0, count).Select(i => expected(a[i], b[i], before[i], i))], y.ToArray(), 2e-6)];
            return run;
        })
        {
            Work = new CaseWork(count, (double)moved * count),
            Real = expected is null,
        };
    }
}
