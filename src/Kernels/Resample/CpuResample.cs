using System.Runtime.Intrinsics;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Resample;

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
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(tiles, &a, &CpuResamplePlanes<Simd512, Vector512<float>>.Forward); break;
            case 256: threads.For(tiles, &a, &CpuResamplePlanes<Simd256, Vector256<float>>.Forward); break;
            default: threads.For(tiles, &a, &CpuResamplePlanes<Simd128, Vector128<float>>.Forward); break;
        }
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
        switch (SimdLevel.Bits)
        {
            case 512: threads.For(planes, &a, &CpuResamplePlanes<Simd512, Vector512<float>>.Backward); break;
            case 256: threads.For(planes, &a, &CpuResamplePlanes<Simd256, Vector256<float>>.Backward); break;
            default: threads.For(planes, &a, &CpuResamplePlanes<Simd128, Vector128<float>>.Backward); break;
        }
    }
}
