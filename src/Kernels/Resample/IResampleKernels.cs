using Ldvc.Tensors;

namespace Ldvc.Kernels.Resample;

/// <summary>Bilinear resizing of planes [planes, h, w] -> [planes, H, W], align_corners=false, no antialiasing (PyTorch's F.interpolate).</summary>
internal interface IResampleKernels
{
    /// <summary>y (overwritten) = resized x.</summary>
    void Bilinear(View x, View y, int planes, int height, int width, int outputHeight, int outputWidth);

    /// <summary>dx (+)= transposed resize of dy; every input sums its own outputs: deterministic.</summary>
    void BilinearBackward(View dy, View dx, bool accumulate, int planes, int height, int width, int outputHeight, int outputWidth);
}
