namespace Ldvc.Kernels.Segmentation;

/// <summary>What a window adds to the canvas.</summary>
internal enum WindowScore
{
    /// <summary>The sigmoid of the logits: every class on its own.</summary>
    Sigmoid,

    /// <summary>The logits as they are.</summary>
    Plain,
}

/// <summary>
/// Asks an argmax for what the softmax over the classes needs: for every pixel the sum over the classes of exp(scale (score - best)). One over it is
/// the winner's probability.
/// </summary>
/// <param name="Sums">Float [H', W'].</param>
/// <param name="Scale">What scores are multiplied by.</param>
internal readonly record struct SoftmaxSums(Ldvc.Tensors.View Sums, float Scale);
