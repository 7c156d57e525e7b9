using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Optimizer.Gpu;

/// <summary>GPU dispatch of the optimiser: one launch for all parameters.</summary>
internal sealed class GpuOptimizer(GpuLauncher launcher) : IOptimizerKernels, IDisposable
{
    private readonly GpuTensorTable _table = new(launcher, 4);

    public void AdamW(IReadOnlyList<AdamWTensor> tensors, in AdamWStep step)
    {
        _table.Begin();
        for (int i = 0; i < tensors.Count; i++)
        {
            var t = tensors[i];
            _table.Add(t.Count, t.WeightDecay, t.Weights, t.Gradients, t.First, t.Second);
        }

        double correction1 = 1 - Math.Pow(step.Beta1, step.Step), correction2 = 1 - Math.Pow(step.Beta2, step.Step);
        var table = _table.Upload();
        foreach (var part in _table.Parts)
        {
            launcher.Launch(GpuAdamW.Kernel, part.Groups, new AdamWArgs
            {
                Chunks = part.Chunks,
                Table = table.SubView(part.FirstRow * GpuTensorTable.RowLength, part.Rows * GpuTensorTable.RowLength),
                Rows = part.Rows,
                LearningRate = step.LearningRate,
                Beta1 = step.Beta1,
                Beta2 = step.Beta2,
                StepSize = (float)(step.LearningRate / correction1),
                InverseRootCorrection = (float)(1 / Math.Sqrt(correction2)),
                Epsilon = step.Epsilon,
                GradientScale = step.GradientScale,
            });
        }
    }

    public void Dispose() => _table.Dispose();
}
