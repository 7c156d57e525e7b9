using Ldvc.Cases.Ops;
using Ldvc.Kernels.Resample;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>Bilinear resizing of planes, both directions.</summary>
internal static class ResampleCases
{
    // Positions are single precision, as in PyTorch: up to an input row of 200, a weight is off by up to 2e-5 in the worst case.
    private const double Tolerance = 2e-5;

    internal static IEnumerable<KernelCase> All =>
    [
        .. Both(1, 1, 1, 1, 1), .. Both(3, 4, 5, 8, 10), .. Both(2, 7, 3, 9, 21), .. Both(2, 6, 6, 6, 6), .. Both(1, 13, 9, 5, 4),
            .. Both(2, 1, 1, 5, 9),
        .. Both(2, 20, 90, 17, 61),
        .. Both(1, 30, 7, 41, 300),
        .. Both(3, 4, 5, 32, 40),
        .. Both(2, 7, 3, 19, 301),
        .. Both(1, 30, 50, 11, 7),
        .. Both(2, 40, 3, 41, 2),
        .. Both(1, 2, 200, 100, 333), .. Both(1, 9, 300, 30, 300),
        .. Both(768, 14, 14, 32, 32, real: true),
    ];

    private static IEnumerable<KernelCase> Both(int planes, int height, int width, int outputHeight, int outputWidth, bool real = false)
    {
        string variant = $"{planes} x {height} x {width} to {outputHeight} x {outputWidth}";
        int inputs = planes * height * width, outputs = planes * outputHeight * outputWidth;
        var work = new CaseWork(7.0 * outputs, (double)inputs + outputs);
        yield return new KernelCase(typeof(IResampleKernels), nameof(IResampleKernels.Bilinear), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal($"x {variant}", inputs);
            Tensor x = run.Floats(values), y = run.Empty(outputs);
            run.Launch = () => run.Kernels.Resample.Bilinear(x, y, planes, height, width, outputHeight, outputWidth);
            run.Compare = () => [CaseDifference.Of("y", Resized(Array.ConvertAll(values, v => (double)v)), y.ToArray(), Tolerance)];
            return run;
        })
        {
            Work = work,
            Real = real,
        };
        foreach (bool accumulate in real ? [false] : new[] { false, true })
        {
            yield return new KernelCase(
                typeof(IResampleKernels), nameof(IResampleKernels.BilinearBackward), variant + (accumulate ? " accumulate" : ""), device =>
            {
                var run = new KernelRun(device);
                float[] values = CaseRandom.Normal($"dy {variant}", outputs), before = CaseRandom.Normal($"before {variant}", inputs);
                Tensor dy = run.Floats(values), dx = run.Floats(before);
                run.Launch = () => run.Kernels.Resample.BilinearBackward(dy, dx, accumulate, planes, height, width, outputHeight, outputWidth);
                run.Compare = () => [CaseDifference.Of("dx", Transposed(values, accumulate ? before : new float[inputs]), dx.ToArray(), Tolerance)];
                return run;
            })
            {
                Work = work,
                Real = real,
            };
        }

        double[] Resized(double[] x) =>
        [
            .. Enumerable.Range(0, outputs).Select(i => Formulas.Bilinear(
                x.AsSpan(i / (outputHeight * outputWidth) * height * width, height * width),
                height,
                width,
                i / outputWidth % outputHeight,
                i % outputWidth,
                outputHeight,
                outputWidth)),
        ];

        // The transpose of a linear map: each output's gradient goes where its value came from, by the same weights.
        double[] Transposed(float[] dy, float[] before)
        {
            double[] dx = Array.ConvertAll(before, v => (double)v);
            for (int i = 0; i < outputs; i++)
            {
                int plane = i / (outputHeight * outputWidth) * height * width;
                var (top, bottom, down) = Formulas.Axis(i / outputWidth % outputHeight, height, outputHeight);
                var (left, right, across) = Formulas.Axis(i % outputWidth, width, outputWidth);
                dx[plane + (top * width) + left] += dy[i] * (1 - down) * (1 - across);
                dx[plane + (top * width) + right] += dy[i] * (1 - down) * across;
                dx[plane + (bottom * width) + left] += dy[i] * down * (1 - across);
                dx[plane + (bottom * width) + right] += dy[i] * down * across;
            }

            return dx;
        }
    }
}
