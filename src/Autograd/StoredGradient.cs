using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// Gradients that meet tensors stored in fp16, whose small numbers end early: products take them times a scale, a power of two that comes from the
/// gradient itself. Nothing is carried from step to step, and float32 results are as if there were none.
/// </summary>
internal static class StoredGradient
{
    /// <summary>Whether a gradient whose products read or write these types needs a scale.</summary>
    internal static bool WantsScale(params ReadOnlySpan<DType?> meets) => meets.Contains(DType.Float16);

    /// <summary>The scale and its inverse [2], found by a pass over the gradient.</summary>
    internal static Tensor Scale(KernelSet kernels, Tensor gradient)
    {
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
