using Ldvc.Kernels;
using Ldvc.Kernels.Attention;
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
    internal static Tensor Center(KernelSet kernels, TokenPart k)
    {
        var keys = k.Owner.Value;
        var centered = keys.Device.Empty(new Shape(keys.Shape[0], keys.Shape[1], k.Width));
        try
        {
            Run(kernels, k.In(keys), AttentionOp.Rows(centered), centered, k.Width);
            return centered;
        }
        catch
        {
            centered.Dispose();
            throw;
        }
    }

    /// <summary>
    /// In place. Applied to the gradient of centered keys it gives the gradient of the keys themselves. Right for causal, routed and dropped
    /// attention, too, whose weights also do not see a common vector.
    /// </summary>
    internal static void RemoveMean(KernelSet kernels, TokenPart k, Tensor gradient)
    {
        var rows = k.In(gradient);
        Run(kernels, rows, rows, gradient, k.Width);
    }

    private static void Run(KernelSet kernels, TokenRows x, TokenRows y, Tensor like, int width)
    {
        int batch = like.Shape[0], tokens = like.Shape[1];
        using var scratch = like.Device.Empty(new Shape(batch, width));
        kernels.Tokens.RemoveMean(x.Data, x.RowStride, y.Data, y.RowStride, scratch, batch, tokens, width);
    }
}
