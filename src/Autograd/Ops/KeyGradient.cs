using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// What softmax attention knows about the gradient of its keys: adding one vector to every key changes no weight, so the gradients of all keys of a
/// picture sum to zero. Kernels get there up to rounding only, and what is left, summed over all keys, becomes the gradient of the key projection's
/// bias, which is exactly zero in theory and nothing but that rounding in practice. Taking off the mean is the orthogonal projection onto the
/// gradients that sum to zero: it cannot move the result away from the true one.
/// </summary>
internal static class KeyGradient
{
    /// <summary>dk [B, N, D] minus its mean over the N keys, in place. Also right for causal, routed and dropped attention.</summary>
    internal static void RemoveMean(KernelSet kernels, Tensor dk)
    {
        int batch = dk.Shape[0], keys = dk.Shape[1], width = dk.Shape[2];
        using var mean = dk.Device.Zeros(new Shape(batch, width));
        for (int b = 0; b < batch; b++)
        {
            kernels.Tokens.SumBlocks(dk.View.Shift((long)b * keys * width), width, mean.View.Shift((long)b * width), keys, width);
        }

        kernels.Elementwise.Scale(mean, -1f / keys, mean, false, mean.Count);
        for (int b = 0; b < batch; b++)
        {
            kernels.Tokens.CopyBlocks(mean.View.Shift((long)b * width), 0, dk.View.Shift((long)b * keys * width), width, keys, width, true);
        }
    }
}
