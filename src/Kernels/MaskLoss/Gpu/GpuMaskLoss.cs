using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Labels;
using Ldvc.Kernels.Labels.Gpu;
using Ldvc.Kernels.Resample.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MaskLoss.Gpu;

/// <summary>GPU dispatch of the fused mask loss.</summary>
internal sealed class GpuMaskLoss(GpuLauncher launcher) : IMaskLossKernels
{
    internal static readonly GpuKernel<GpuMaskLossArguments> SumBand = Sums("mask_loss.sums", GpuMaskLossKernels.SumBand<ByteLabels>);
    internal static readonly GpuKernel<GpuMaskLossArguments> SumBandWide = Sums("mask_loss.wide_sums", GpuMaskLossKernels.SumBand<WideLabels>);

    internal static readonly GpuKernel<GpuMaskLossArguments> Finish =
        new(
            "mask_loss.finish",
            GpuMaskLossKernels.Finish,
            MaskLossPlan.GpuThreads)
        { AnyGroup = true, SharedBytes = GpuMaskLossKernels.ReduceSharedBytes };

    internal static readonly GpuKernel<GpuMaskLossArguments> Slopes =
        new(
            "mask_loss.slopes",
            GpuMaskLossKernels.Slopes,
            MaskLossPlan.GpuThreads)
        { AnyGroup = true, SharedBytes = GpuMaskLossKernels.ReduceSharedBytes };

    internal static readonly GpuKernel<GpuMaskLossArguments> Gradient = Slope("mask_loss.gradient", GpuMaskLossKernels.Gradient<ByteLabels>);
    internal static readonly GpuKernel<GpuMaskLossArguments> GradientWide = Slope("mask_loss.wide_gradient", GpuMaskLossKernels.Gradient<WideLabels>);

    public void Forward(in MaskLossSizes sizes, View z, View labels, View sums, View loss)
    {
        int planes = sizes.Batch * sizes.Classes, bands = GpuSizes.Groups(sizes.ImageHeight, MaskLossPlan.BandRows);
        var args = Arguments(sizes, z, labels, sums, launcher.Workspace.Floats(4L * planes * bands)) with { Loss = loss.GpuFloats, Bands = bands };
        launcher.Launch(LabelWidth.IsWide(labels) ? SumBandWide : SumBand, checked(planes * bands), args);
        launcher.Launch(Finish, 1, args);
    }

    public void Backward(in MaskLossSizes sizes, View z, View labels, View sums, View lossGradient, View dz, bool accumulate)
    {
        int planes = sizes.Batch * sizes.Classes, bands = GpuSizes.Groups(sizes.Height, MaskLossPlan.GradientRows);
        var args = Arguments(sizes, z, labels, sums, launcher.Workspace.Floats(4L * planes)) with
        {
            LossGradient = lossGradient.GpuFloats,
            Dz = dz.GpuFloats,
            Bands = bands,
            Accumulate = accumulate ? 1 : 0,
        };
        launcher.Launch(Slopes, 1, args);
        launcher.Launch(LabelWidth.IsWide(labels) ? GradientWide : Gradient, checked(planes * bands), args);
    }

    private static GpuKernel<GpuMaskLossArguments> Sums(string name, Action<GpuMaskLossArguments> method) =>
        new(name, method, MaskLossPlan.GpuThreads) { AnyGroup = true, SharedBytes = GpuMaskLossKernels.SumSharedBytes };

    private static GpuKernel<GpuMaskLossArguments> Slope(string name, Action<GpuMaskLossArguments> method) =>
        new(name, method, MaskLossPlan.GpuThreads) { AnyGroup = true, SharedBytes = GpuMaskLossKernels.GradientSharedBytes };

    private static GpuMaskLossArguments Arguments(in MaskLossSizes sizes, View z, View labels, View sums, View scratch)
    {
        int planes = sizes.Batch * sizes.Classes;
        GpuSizes.Index((long)planes * sizes.Height * sizes.Width, SumBand);
        GpuSizes.Index((long)sizes.Batch * sizes.ImageHeight * sizes.ImageWidth, SumBand);
        return new GpuMaskLossArguments
        {
            Z = z.GpuFloats,
            Labels = labels.As(DType.UInt8).GpuBytes,
            Sums = sums.GpuFloats,
            Loss = sums.GpuFloats,
            LossGradient = sums.GpuFloats,
            Dz = sums.GpuFloats,
            Scratch = scratch.GpuFloats.Cast<Float4>(),
            Rows = new GpuBilinearAxis(sizes.Height, sizes.ImageHeight),
            Columns = new GpuBilinearAxis(sizes.Width, sizes.ImageWidth),
            Planes = planes,
            Classes = sizes.Classes,
            FocalWeight = sizes.FocalWeight,
            DiceWeight = sizes.DiceWeight,
            Alpha = sizes.Alpha,
        };
    }
}
