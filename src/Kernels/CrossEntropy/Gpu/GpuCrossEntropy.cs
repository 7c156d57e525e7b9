using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.CrossEntropy.Gpu;

/// <summary>GPU dispatch of softmax cross-entropy.</summary>
internal sealed class GpuCrossEntropy(GpuLauncher launcher) : ICrossEntropyKernels
{
    public void Forward(View logits, View targets, View statistics, View loss, int rows, int columns, int ignored)
    {
        var args = Args(logits, targets, statistics, rows, columns, ignored) with { Loss = loss.GpuFloats };
        launcher.Launch(GpuCrossEntropyRows.Forward, rows, args);
        launcher.Launch(GpuCrossEntropyRows.Mean, 1, args);
    }

    public void Backward(
        View logits, View targets, View statistics, View lossGradient, View dlogits, bool accumulate, int rows, int columns, int ignored)
    {
        var args = Args(logits, targets, statistics, rows, columns, ignored) with
        {
            LossGradient = lossGradient.GpuFloats,
            Dlogits = dlogits.GpuFloats,
            Accumulate = accumulate ? 1 : 0,
        };
        launcher.LaunchItems(GpuCrossEntropyRows.Backward, (long)rows * columns, args);
    }

    private static RowArgs Args(View logits, View targets, View statistics, int rows, int columns, int ignored)
    {
        GpuSizes.Index((long)rows * columns, GpuCrossEntropyRows.Forward);
        var any = logits.GpuFloats;
        return new RowArgs
        {
            Logits = any,
            Targets = targets.GpuInts,
            Statistics = statistics.GpuFloats,
            Loss = any,
            LossGradient = any,
            Dlogits = any,
            Rows = rows,
            Columns = columns,
            Ignored = ignored,
        };
    }
}
