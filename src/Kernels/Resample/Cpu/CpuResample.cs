using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Resample.Cpu;

/// <summary>CPU dispatch of bilinear resizing.</summary>
internal sealed unsafe class CpuResample(CpuThreads threads) : IResampleKernels
{
    public void Bilinear(View x, View y, int planes, int height, int width, int outputHeight, int outputWidth)
    {
        var a = new ResampleArguments
        {
            X = x.Floats,
            Y = y.Floats,
            Planes = planes,
            Height = height,
            Width = width,
            OutputHeight = outputHeight,
            OutputWidth = outputWidth,
            Bands = Tiling.Count(outputHeight, outputWidth),
        };
        int tiles = planes * a.Bands;
        SimdDispatch.For<ForwardBand, ResampleArguments>(threads, tiles, &a);
    }

    public void BilinearBackward(View dy, View dx, bool accumulate, int planes, int height, int width, int outputHeight, int outputWidth)
    {
        var a = new ResampleArguments
        {
            Dy = dy.Floats,
            Dx = dx.Floats,
            Accumulate = accumulate,
            Planes = planes,
            Height = height,
            Width = width,
            OutputHeight = outputHeight,
            OutputWidth = outputWidth,
        };
        SimdDispatch.For<BackwardPlane, ResampleArguments>(threads, planes, &a);
    }

    private readonly struct ForwardBand : ITileKernel<ResampleArguments>
    {
        public static void Tile<S, V>(ResampleArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuResamplePlanes<S, V>.Forward(a, tile, worker);
    }

    private readonly struct BackwardPlane : ITileKernel<ResampleArguments>
    {
        public static void Tile<S, V>(ResampleArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuResamplePlanes<S, V>.Backward(a, tile, worker);
    }
}
