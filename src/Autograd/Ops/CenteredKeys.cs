using Ldvc.Kernels;
using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;

namespace Ldvc.Autograd.Ops;

/// <summary>
/// Softmax attention does not see a vector that is added to every key: all scores of a query move by the same amount. So the operations hand their
/// kernels keys without their mean, which changes nothing in theory and takes away what rounding makes of it in practice: scores are smaller, a
/// query's gradient no longer holds the keys' common part times the (zero but for rounding) sum of its scores' gradients, and the keys' gradients
/// sum to zero, as does the gradient of the key projection's bias. Without it those two lie at the noise of float32 next to large gradients.
/// </summary>
internal static class CenteredKeys
{
    /// <summary>k [B, N, D] minus its mean over the N keys of each picture, as a new tensor.</summary>
    internal static Tensor Center(KernelSet kernels, Tensor k)
    {
        var centered = k.Clone();
        RemoveMean(kernels, centered);
        return centered;
    }

    /// <summary>
    /// In place. Applied to the gradient of centered keys it gives the gradient of the keys themselves. Right for causal, routed and dropped
    /// attention, too, whose weights also do not see a common vector.
    /// </summary>
    internal static void RemoveMean(KernelSet kernels, Tensor x)
    {
        int batch = x.Shape[0], tokens = x.Shape[1], width = x.Shape[2];
        using var mean = x.Device.Zeros(new Shape(batch, width));
        kernels.Tokens.SumBlocks(x, width, mean, tokens, width, new BlockRepeat(batch, (long)tokens * width, width));
        kernels.Elementwise.Scale(mean, -1f / tokens, mean, false, mean.Count);
        kernels.Tokens.CopyBlocks(mean, 0, x, width, tokens, width, true, new BlockRepeat(batch, width, (long)tokens * width));
    }
}
