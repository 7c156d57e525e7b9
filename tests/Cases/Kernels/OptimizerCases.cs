using Ldvc.Kernels.Optimizer;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>AdamW's update, in the order of torch.optim.AdamW.</summary>
internal static class OptimizerCases
{
    internal static IEnumerable<KernelCase> All =>
    [
        Case(1, new AdamWStep(1e-2f, 0.9f, 0.999f, 1e-8f, 1, 1f), 0.01f),
        Case(37, new AdamWStep(2e-4f, 0.9f, 0.999f, 1e-8f, 2, 1f), 0.01f),
        Case(129, new AdamWStep(0.1f, 0.8f, 0.95f, 1e-3f, 5, 0.25f), 0f),
        Case(20001, new AdamWStep(1e-3f, 0.9f, 0.999f, 1e-8f, 100000, 3f), 0.3f),
        Case(768 * 768, new AdamWStep(2e-4f, 0.9f, 0.999f, 1e-8f, 10, 1f), 0.01f, real: true),
    ];

    private static KernelCase Case(int count, AdamWStep s, float decay, bool real = false)
    {
        string variant = $"{count} values, step {s.Step}, rate {s.LearningRate}, decay {decay}, gradients times {s.GradientScale}";
        return new KernelCase(typeof(IOptimizerKernels), nameof(IOptimizerKernels.AdamW), variant, device =>
        {
            var run = new KernelRun(device);
            float[] weights = CaseRandom.Normal($"weights {variant}", count), gradients = CaseRandom.Normal($"gradients {variant}", count);
            float[] first = CaseRandom.Normal(
                $"first {variant}", count, 0, 0.1), second = [.. CaseRandom.Normal($"second {variant}", count, 0, 0.1).Select(v => v * v)];
            Tensor w = run.Floats(weights), g = run.Floats(gradients), m = run.Floats(first), v = run.Floats(second);
            AdamWTensor[] tensors = [new(w, g, m, v, count, decay)];
            run.Launch = () => run.Kernels.Optimizer.AdamW(tensors, s);
            run.Compare = () =>
            {
                double[] expectedW = new double[count], expectedM = new double[count], expectedV = new double[count];
                for (int i = 0; i < count; i++)
                {
                    double gradient = (double)gradients[i] * s.GradientScale;
                    expectedM[i] = (s.Beta1 * (double)first[i]) + ((1 - (double)s.Beta1) * gradient);
                    expectedV[i] = (s.Beta2 * (double)second[i]) + ((1 - (double)s.Beta2) * gradient * gradient);
                    double decayed = weights[i] * (1 - ((double)s.LearningRate * decay));
                    double mean = expectedM[i] / (1 - Math.Pow(s.Beta1, s.Step)), square = expectedV[i] / (1 - Math.Pow(s.Beta2, s.Step));
                    expectedW[i] = decayed - (s.LearningRate * mean / (Math.Sqrt(square) + s.Epsilon));
                }

                // What the weights move by is compared, not the weights: a step is small beside them.
                double[] moved = [.. w.ToArray().Zip(weights, (now, was) => (double)now - was)],
                    expectedMove = [.. expectedW.Zip(weights, (now, was) => now - was)];
                double rounding = weights.Max(Math.Abs) * 1.2e-7;
                return
                [
                    CaseDifference.Of("move", expectedMove, moved, 1e-5 + (rounding / expectedMove.Max(Math.Abs))),
                    CaseDifference.Of("first moment", expectedM, m.ToArray(), 1e-6),
                    CaseDifference.Of("second moment", expectedV, v.ToArray(), 1e-6),
                ];
            };
            return run;
        })
        {
            Work = new CaseWork(12.0 * count, 7.0 * count),
            Real = real,
        };
    }
}
