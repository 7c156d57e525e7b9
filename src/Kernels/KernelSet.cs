using Ldvc.Kernels.Attention;
using Ldvc.Kernels.CrossEntropy;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.MaskLoss;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.Normalization;
using Ldvc.Kernels.Optimizer;
using Ldvc.Kernels.Reduction;
using Ldvc.Kernels.Resample;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Kernels.Segmentation;
using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;

namespace Ldvc.Kernels;

/// <summary>The kernels of one device, a contract per family. The only place where a device is matched with its implementations.</summary>
internal sealed class KernelSet : IDisposable
{
    internal required IMatMulKernels MatMul { get; init; }

    internal required INormalizationKernels Normalization { get; init; }

    internal required IElementwiseKernels Elementwise { get; init; }

    internal required ITokenKernels Tokens { get; init; }

    internal required IAttentionKernels Attention { get; init; }

    internal required IRouteAttentionKernels RouteAttention { get; init; }

    internal required IResampleKernels Resample { get; init; }

    internal required IMaskLossKernels MaskLoss { get; init; }

    internal required ICrossEntropyKernels CrossEntropy { get; init; }

    internal required ISegmentationKernels Segmentation { get; init; }

    internal required IReductionKernels Reduction { get; init; }

    internal required IOptimizerKernels Optimizer { get; init; }

    /// <summary>The device's kernels, created on first use.</summary>
    internal static KernelSet For(Device device)
    {
        if (device.Kernels is KernelSet known)
        {
            return known;
        }

        lock (device)
        {
            if (device.Kernels is not KernelSet set)
            {
                device.Kernels = set = device switch
                {
                    CpuDevice cpu => CreateCpu(cpu),
                    _ => throw new NotSupportedException($"there are no kernels for device '{device.Name}'"),
                };
            }

            return set;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        object[] families =
        [
            MatMul, Normalization, Elementwise, Tokens, Attention, RouteAttention, Resample, MaskLoss, CrossEntropy, Segmentation, Reduction, Optimizer,
        ];
        foreach (object family in families)
        {
            (family as IDisposable)?.Dispose();
        }
    }

    private static KernelSet CreateCpu(CpuDevice device) => new()
    {
        MatMul = new CpuMatMul(device.Threads),
        Normalization = new CpuNormalization(device.Threads),
        Elementwise = new CpuElementwise(device.Threads),
        Tokens = new CpuTokens(device.Threads),
        Attention = new CpuAttention(device.Threads),
        RouteAttention = new CpuRouteAttention(device.Threads),
        Resample = new CpuResample(device.Threads),
        MaskLoss = new CpuMaskLoss(device.Threads),
        CrossEntropy = new CpuCrossEntropy(device.Threads),
        Segmentation = new CpuSegmentation(device.Threads),
        Reduction = new CpuReduction(device.Threads),
        Optimizer = new CpuOptimizer(device.Threads),
    };
}
