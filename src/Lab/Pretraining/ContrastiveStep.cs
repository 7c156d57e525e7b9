using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Lab.Pretraining;

/// <summary>
/// CLIP's symmetric contrastive loss: picture i belongs to text i, and to no other of the batch. The same loss on the patch tokens, on their mean or on a soft
/// maximum of their similarities, with a weight of its own, makes every patch speak the language of the texts, not the class token alone: what dense prediction
/// needs. Captions are all it takes; no mask is involved.
/// </summary>
internal static class ContrastiveStep
{
    /// <summary>
    /// Runs forward and backward on pictures [B, 3, H, W] and B texts; returns the class token's loss. Gradients are left in the parameters. Similarities are
    /// multiplied by at most <paramref name="maxScale"/>, 1 / the lowest temperature (CLIP: 100).
    /// </summary>
    internal static float Run(ClipModel model, Device device, Tensor pictures, TokenBatch texts, float patchWeight, float patchFocus, float maxScale)
    {
        using var tape = new Tape(device, recording: true);
        var (image, patches) = model.Visual.EncodeDense(tape, pictures);
        using var text = tape.L2Normalize(model.Text.Encode(tape, texts));
        using var similarity = tape.MatMulTransposed(image, text, 1);
        using var loss = Loss(tape, model, similarity, maxScale);
        float value = loss.Value.ToScalar();
        Variable total = loss;
        if (patchWeight > 0)
        {
            using var bySimilarity = PatchSimilarity(tape, patches, text, patchFocus);
            using var weighted = tape.Scale(Loss(tape, model, bySimilarity, maxScale), patchWeight);
            total = tape.Add(loss, weighted);
        }

        tape.Backward(total);
        return value;
    }

    // Patches [B, N, D] against texts [T, D] -> [B, T].
    private static Variable PatchSimilarity(Tape tape, Variable patches, Variable text, float focus)
    {
        int pictures = patches.Shape[0], count = patches.Shape[1], width = patches.Shape[2], texts = text.Shape[0];
        if (focus == 0)
        {
            using var mean = tape.MeanTokens(patches);
            using var normalized = tape.L2Normalize(mean);
            return tape.MatMulTransposed(normalized, text, 1);
        }

        using var flat = tape.Reshape(patches, pictures * count, width);
        using var each = tape.MatMulTransposed(flat, text, 1);
        using var byPicture = tape.Reshape(each, pictures, count, texts);
        return tape.LogMeanExpTokens(byPicture, focus);
    }

    private static Variable Loss(Tape tape, ClipModel model, Variable similarity, float maxScale)
    {
        using var logits = tape.ScaleByExp(similarity, model.LogitScale, maxScale);
        int[] targets = [.. Enumerable.Range(0, similarity.Shape[0])];
        using var byPicture = tape.CrossEntropy(logits, targets);
        using var transposed = tape.Transpose(logits);
        using var byText = tape.CrossEntropy(transposed, targets);
        using var sum = tape.Add(byPicture, byText);
        return tape.Scale(sum, 0.5f);
    }
}
