using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Resample.Gpu;

/// <summary>GPU dispatch of bilinear resizing.</summary>
internal sealed class GpuResample(GpuLauncher launcher) : IResampleKernels
{
    internal static readonly GpuKernel<GpuResampleArguments> Forward = new(
        "resample.forward", GpuResampleKernels.Forward, ResamplePlan.GpuThreads)
    { AnyGroup = true };

    internal static readonly GpuKernel<GpuResampleArguments> Backward =
        new(
            "resample.backward",
            GpuResampleKernels.Backward,
            ResamplePlan.GpuThreads)
        { AnyGroup = true, SharedBytes = GpuResampleKernels.SharedBytes };

    public void Bilinear(View x, View y, int planes, int height, int width, int outputHeight, int outputWidth)
    {
        var args = Arguments(x, y, planes, height, width, outputHeight, outputWidth, false);
        launcher.LaunchItems(Forward, (long)planes * outputHeight * outputWidth, args);
    }

    public void BilinearBackward(View dy, View dx, bool accumulate, int planes, int height, int width, int outputHeight, int outputWidth)
    {
        var args = Arguments(dx, dy, planes, height, width, outputHeight, outputWidth, accumulate);
        launcher.Launch(Backward, checked(planes * height), args);
    }

    private static GpuResampleArguments Arguments(
        View input, View output, int planes, int height, int width, int outputHeight, int outputWidth, bool accumulate)
    {
        GpuSizes.Index((long)planes * height * width, Forward);
        GpuSizes.Index((long)planes * outputHeight * outputWidth, Forward);
        return new GpuResampleArguments(
            input.GpuFloats,
            output.GpuFloats,
            planes,
            new GpuBilinearAxis(height, outputHeight),
            new GpuBilinearAxis(width, outputWidth),
            accumulate ? 1 : 0);
    }
}
