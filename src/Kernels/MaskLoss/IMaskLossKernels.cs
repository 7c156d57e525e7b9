using Ldvc.Tensors;

namespace Ldvc.Kernels.MaskLoss;

/// <summary>Sizes and weights of the fused upsample + focal + dice loss (method.md 7).</summary>
/// <param name="Batch">B.</param>
/// <param name="Classes">C, at most 255 where labels are bytes.</param>
/// <param name="Height">Rows of the mask logits.</param>
/// <param name="Width">Columns of the mask logits.</param>
/// <param name="ImageHeight">Rows of the labels.</param>
/// <param name="ImageWidth">Columns of the labels.</param>
/// <param name="FocalWeight">100.</param>
/// <param name="DiceWeight">1.</param>
/// <param name="Alpha">0.25.</param>
internal readonly record struct MaskLossSizes(
    int Batch, int Classes, int Height, int Width, int ImageHeight, int ImageWidth, float FocalWeight, float DiceWeight, float Alpha);

/// <summary>
/// Bilinear upsampling of mask logits, sigmoid focal loss and dice loss in one pass over the pixels; the tensor [B, C, H, W] is never stored, each
/// pixel's logit is interpolated again where it is needed.
/// </summary>
internal interface IMaskLossKernels
{
    /// <summary>
    /// z [B, C, h, w], labels uint8 or int32 [B, H, W] (every value that is no class, such as 255 or 65535: negative for all classes). Writes
    /// loss [3] = total, focal, dice (weighted focal and dice before weighting: total = FocalWeight * loss[1] + DiceWeight * loss[2]) and
    /// sums [B, C, 4] = sum of p*y, sum of p, sum of y, sum of focal terms, for the backward.
    /// </summary>
    void Forward(in MaskLossSizes sizes, View z, View labels, View sums, View loss);

    /// <summary>dz [B, C, h, w] (+)= gradient of total, times lossGradient [1]. Deterministic.</summary>
    void Backward(in MaskLossSizes sizes, View z, View labels, View sums, View lossGradient, View dz, bool accumulate);
}
