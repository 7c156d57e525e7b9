using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>Gradients that meet tensors stored in fp16.</summary>
internal static class StoredGradient
{
    /// <summary>
    /// The scale, and its inverse, that a gradient's products take where they read or write fp16, whose small numbers end early; null where nothing
    /// they meet is stored so. It comes from the gradient itself and is a power of two: nothing is carried from step to step, and float32 results are
    /// as if there were none.
    /// </summary>
    internal static Tensor? Scale(KernelSet kernels, Tensor gradient, params ReadOnlySpan<DType?> meets)
    {
        if (!meets.Contains(DType.Float16))
        {
            return null;
        }

        var scale = gradient.Device.Empty(new Shape(2));
        try
        {
            kernels.Reduction.GradientScale(gradient, gradient.Count, scale);
            return scale;
        }
        catch
        {
            scale.Dispose();
            throw;
        }
    }
}
