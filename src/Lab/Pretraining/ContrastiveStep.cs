using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Lab.Pretraining;

/// <summary>
/// CLIP's symmetric contrastive loss: picture i belongs to text i, and to no other of the batch. The same loss on the patch tokens, on their mean or
/// on a soft maximum of their similarities, with a weight of its own, aligns every patch with the texts, not the class token alone: dense prediction
/// needs that. It uses captions only, no masks.
/// </summary>
internal static class ContrastiveStep
{
    /// <summary>
    /// Runs forward and backward on pictures [B, 3, H, W] and B texts; returns the class token's loss. Gradients are left in the parameters.
    /// Similarities are multiplied by at most <paramref name="maxScale"/>, 1 / the lowest temperature (CLIP: 100).
    /// </summary>
    internal static float Run(ClipModel model, Device device, Tensor pictures, TokenBatch texts, float patchWeight, float patchFocus, float maxScale)
    {
        using var tape = new Tape(device, recording: true);
        tape.Backward(Total(tape, model, pictures, texts, patchWeight, patchFocus, maxScale, out float value));
        return value;
    }

    // The sum of both losses, and the value of the class token's.
    private static Variable Total(
        Tape tape, ClipModel model, Tensor pictures, TokenBatch texts, float patchWeight, float patchFocus, float maxScale, out float value)
    {
        using var scope = tape.BeginScope();
        var (image, patches) = model.Visual.EncodeDense(tape, pictures);
        var text = tape.L2Normalize(model.Text.Encode(tape, texts));
        var loss = Loss(tape, model, tape.MatMulTransposed(image, text, 1), maxScale);
        value = loss.Value.ToScalar();
        if (patchWeight > 0)
        {
            var ofPatches = Loss(tape, model, PatchSimilarity(tape, patches, text, patchFocus), maxScale);
            loss = tape.Add(loss, tape.Scale(ofPatches, patchWeight));
        }

        return scope.Keep(loss);
    }

    // Patches [B, N, D] against texts [T, D] -> [B, T].
    private static Variable PatchSimilarity(Tape tape, Variable patches, Variable text, float focus)
    {
        using var scope = tape.BeginScope();
        int pictures = patches.Shape[0], count = patches.Shape[1], width = patches.Shape[2], texts = text.Shape[0];
        if (focus == 0)
        {
            return scope.Keep(tape.MatMulTransposed(tape.L2Normalize(tape.MeanTokens(patches)), text, 1));
        }

        var each = tape.MatMulTransposed(tape.Reshape(patches, pictures * count, width), text, 1);
        return scope.Keep(tape.LogMeanExpTokens(tape.Reshape(each, pictures, count, texts), focus));
    }

    private static Variable Loss(Tape tape, ClipModel model, Variable similarity, float maxScale)
    {
        using var scope = tape.BeginScope();
        int[] targets = [.. Enumerable.Range(0, similarity.Shape[0])];
        var logits = tape.ScaleByExp(similarity, model.LogitScale, maxScale);
        var byPicture = tape.CrossEntropy(logits, targets);
        var byText = tape.CrossEntropy(tape.Transpose(logits), targets);
        return scope.Keep(tape.Scale(tape.Add(byPicture, byText), 0.5f));
    }
}
