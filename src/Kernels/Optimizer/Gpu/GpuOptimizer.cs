using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Optimizer.Gpu;

/// <summary>GPU dispatch of the optimiser: one launch for all parameters.</summary>
internal sealed class GpuOptimizer(GpuLauncher launcher) : IOptimizerKernels, IDisposable
{
    private readonly GpuTensorTable _table = new(launcher, 4);

    public void AdamW(IReadOnlyList<AdamWTensor> tensors, in AdamWStep step, bool stored = false)
    {
        // Programs with a training loop of their own know of no such place.
        if (!stored)
        {
            launcher.State.Write(step);
        }

        _table.Begin();
        for (int i = 0; i < tensors.Count; i++)
        {
            var t = tensors[i];
            _table.Add(t.Count, t.WeightDecay, t.Weights, t.Gradients, t.First, t.Second);
        }

        var table = _table.Upload();
        foreach (var part in _table.Parts)
        {
            launcher.Launch(GpuAdamW.Kernel, part.Groups, new AdamWArgs
            {
                Chunks = part.Chunks,
                Table = table.SubView(part.FirstRow * GpuTensorTable.RowLength, part.Rows * GpuTensorTable.RowLength),
                Rows = part.Rows,
                State = launcher.State.View.As(DType.Float32).GpuFloats,
                Beta1 = step.Beta1,
                Beta2 = step.Beta2,
                Epsilon = step.Epsilon,
            });
        }
    }

    public void Dispose() => _table.Dispose();
}
