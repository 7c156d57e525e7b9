using Ldvc.Kernels.Attention;
using Ldvc.Kernels.Attention.Cpu;
using Ldvc.Kernels.Attention.Gpu;
using Ldvc.Kernels.Attention.TensorCore;
using Ldvc.Kernels.CrossEntropy;
using Ldvc.Kernels.CrossEntropy.Cpu;
using Ldvc.Kernels.CrossEntropy.Gpu;
using Ldvc.Kernels.Elementwise;
using Ldvc.Kernels.Elementwise.Cpu;
using Ldvc.Kernels.Elementwise.Gpu;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Indexing;
using Ldvc.Kernels.Indexing.Cpu;
using Ldvc.Kernels.Indexing.Gpu;
using Ldvc.Kernels.MaskLoss;
using Ldvc.Kernels.MaskLoss.Cpu;
using Ldvc.Kernels.MaskLoss.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Kernels.MatMul.Cpu;
using Ldvc.Kernels.MatMul.Gpu;
using Ldvc.Kernels.MatMul.TensorCore;
using Ldvc.Kernels.Normalization;
using Ldvc.Kernels.Normalization.Cpu;
using Ldvc.Kernels.Normalization.Gpu;
using Ldvc.Kernels.Optimizer;
using Ldvc.Kernels.Optimizer.Cpu;
using Ldvc.Kernels.Optimizer.Gpu;
using Ldvc.Kernels.Reduction;
using Ldvc.Kernels.Reduction.Cpu;
using Ldvc.Kernels.Reduction.Gpu;
using Ldvc.Kernels.Resample;
using Ldvc.Kernels.Resample.Cpu;
using Ldvc.Kernels.Resample.Gpu;
using Ldvc.Kernels.RouteAttention;
using Ldvc.Kernels.RouteAttention.Cpu;
using Ldvc.Kernels.RouteAttention.Gpu;
using Ldvc.Kernels.RouteAttention.TensorCore;
using Ldvc.Kernels.Segmentation;
using Ldvc.Kernels.Segmentation.Cpu;
using Ldvc.Kernels.Segmentation.Gpu;
using Ldvc.Kernels.Simd;
using Ldvc.Kernels.Softmax;
using Ldvc.Kernels.Softmax.Cpu;
using Ldvc.Kernels.Softmax.Gpu;
using Ldvc.Kernels.Tokens;
using Ldvc.Kernels.Tokens.Cpu;
using Ldvc.Kernels.Tokens.Gpu;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Devices;

/// <summary>The kernels of one device, a contract per family. The only place where a device is matched with its implementations.</summary>
internal sealed class KernelSet : IDisposable
{
    private readonly IMatMulKernels? _matMul;
    private readonly INormalizationKernels? _normalization;
    private readonly IElementwiseKernels? _elementwise;
    private readonly ITokenKernels? _tokens;
    private readonly IAttentionKernels? _attention;
    private readonly IRouteAttentionKernels? _routeAttention;
    private readonly IResampleKernels? _resample;
    private readonly IMaskLossKernels? _maskLoss;
    private readonly ICrossEntropyKernels? _crossEntropy;
    private readonly ISegmentationKernels? _segmentation;
    private readonly IReductionKernels? _reduction;
    private readonly IOptimizerKernels? _optimizer;
    private readonly ISoftmaxKernels? _softmax;
    private readonly IIndexingKernels? _indexing;

    internal IMatMulKernels MatMul { get => _matMul ?? throw Missing("MatMul"); init => _matMul = value; }

    internal INormalizationKernels Normalization { get => _normalization ?? throw Missing("Normalization"); init => _normalization = value; }

    internal IElementwiseKernels Elementwise { get => _elementwise ?? throw Missing("Elementwise"); init => _elementwise = value; }

    internal ITokenKernels Tokens { get => _tokens ?? throw Missing("Tokens"); init => _tokens = value; }

    internal IAttentionKernels Attention { get => _attention ?? throw Missing("Attention"); init => _attention = value; }

    internal IRouteAttentionKernels RouteAttention { get => _routeAttention ?? throw Missing("RouteAttention"); init => _routeAttention = value; }

    internal IResampleKernels Resample { get => _resample ?? throw Missing("Resample"); init => _resample = value; }

    internal IMaskLossKernels MaskLoss { get => _maskLoss ?? throw Missing("MaskLoss"); init => _maskLoss = value; }

    internal ICrossEntropyKernels CrossEntropy { get => _crossEntropy ?? throw Missing("CrossEntropy"); init => _crossEntropy = value; }

    internal ISegmentationKernels Segmentation { get => _segmentation ?? throw Missing("Segmentation"); init => _segmentation = value; }

    internal IReductionKernels Reduction { get => _reduction ?? throw Missing("Reduction"); init => _reduction = value; }

    internal IOptimizerKernels Optimizer { get => _optimizer ?? throw Missing("Optimizer"); init => _optimizer = value; }

    internal ISoftmaxKernels Softmax { get => _softmax ?? throw Missing("Softmax"); init => _softmax = value; }

    internal IIndexingKernels Indexing { get => _indexing ?? throw Missing("Indexing"); init => _indexing = value; }

    /// <summary>Where the GPU families compile and queue their kernels; null on the CPU.</summary>
    internal GpuLauncher? Launcher { get; init; }

    /// <summary>Where a GPU's kernels find what changes from step to step; null elsewhere.</summary>
    internal StepState? State => Launcher?.State;

    /// <summary>The device's kernels, created on first use.</summary>
    /// <exception cref="ObjectDisposedException">The device was disposed of.</exception>
    /// <exception cref="InputException">It is a CPU, and the variable of its vectors' width is no width.</exception>
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
                device.ThrowIfDisposed("kernels");
                device.Kernels = set = device switch
                {
                    CpuDevice cpu => CreateCpu(cpu),
                    GpuDevice gpu => CreateGpu(gpu),
                    _ => throw new NotSupportedException($"there are no kernels for device '{device.Name}'"),
                };
            }

            return set;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        object?[] families =
        [
            _matMul, _normalization, _elementwise, _tokens, _attention, _routeAttention, _resample, _maskLoss, _crossEntropy,
            _segmentation, _reduction, _optimizer, _softmax, _indexing,
        ];
        foreach (object? family in families)
        {
            (family as IDisposable)?.Dispose();
        }

        Launcher?.Dispose();
    }

    private static KernelSet CreateCpu(CpuDevice device)
    {
        SimdLevel.Check();
        var reduction = new CpuReduction(device.Threads);
        return new KernelSet
        {
            MatMul = new CpuMatMul(device.Threads),
            Normalization = new CpuNormalization(device.Threads),
            Elementwise = new CpuElementwise(device.Threads),
            Tokens = new CpuTokens(device.Threads, reduction),
            Attention = new CpuAttention(device.Threads),
            RouteAttention = new CpuRouteAttention(device.Threads),
            Resample = new CpuResample(device.Threads),
            MaskLoss = new CpuMaskLoss(device.Threads),
            CrossEntropy = new CpuCrossEntropy(device.Threads),
            Segmentation = new CpuSegmentation(device.Threads),
            Reduction = reduction,
            Optimizer = new CpuOptimizer(device.Threads),
            Softmax = new CpuSoftmax(device.Threads),
            Indexing = new CpuIndexing(device.Threads),
        };
    }

    private static KernelSet CreateGpu(GpuDevice device)
    {
        var launcher = new GpuLauncher(device);
        var gate = new TensorCoreGate(device, warning => Console.Error.WriteLine("ldvc: " + warning));
        return new KernelSet
        {
            Launcher = launcher,
            MatMul = new CheckedMatMul(launcher, gate, new GpuMatMul(launcher)),
            Normalization = new GpuNormalization(launcher),
            Elementwise = new GpuElementwise(launcher),
            Attention = new CheckedAttention(launcher, gate, new GpuAttention(launcher)),
            RouteAttention = new CheckedRouteAttention(launcher, gate, new GpuRouteAttention(launcher)),
            Resample = new GpuResample(launcher),
            MaskLoss = new GpuMaskLoss(launcher),
            Segmentation = new GpuSegmentation(launcher),
            Tokens = new GpuTokens(launcher),
            CrossEntropy = new GpuCrossEntropy(launcher),
            Reduction = new GpuReduction(launcher),
            Optimizer = new GpuOptimizer(launcher),
            Softmax = new GpuSoftmax(launcher),
            Indexing = new GpuIndexing(launcher),
        };
    }

    private static NotSupportedException Missing(string family) => new($"there are no {family} kernels for this device");
}
