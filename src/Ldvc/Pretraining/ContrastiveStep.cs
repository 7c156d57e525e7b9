using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Pretraining;

/// <summary>
/// CLIP's symmetric contrastive loss: picture i belongs to text i, and to no other of the batch. The same loss on the mean of the patch tokens, with a
/// weight of its own, makes every patch speak the language of the texts, not the class token alone: what dense prediction needs. Captions are all
/// it takes; no mask is involved.
/// </summary>
internal static class ContrastiveStep
{
    /// <summary>CLIP cuts the factor of the similarities here.</summary>
    internal const float MaxScale = 100;

    /// <summary>Runs forward and backward on pictures [B, 3, H, W] and B texts; returns the class token's loss. Gradients are left in the parameters.</summary>
    internal static float Run(ClipModel model, Device device, Tensor pictures, TokenBatch texts, float patchWeight)
    {
        using var tape = new Tape(device, recording: true);
        var (image, patches) = model.Visual.EncodeDense(tape, pictures);
        using var text = tape.L2Normalize(model.Text.Encode(tape, texts));
        using var loss = Loss(tape, model, image, text);
        float value = loss.Value.ToScalar();
        Variable total = loss;
        if (patchWeight > 0)
        {
            using var mean = tape.MeanTokens(patches);
            using var normalized = tape.L2Normalize(mean);
            using var weighted = tape.Scale(Loss(tape, model, normalized, text), patchWeight);
            total = tape.Add(loss, weighted);
        }

        tape.Backward(total);
        return value;
    }

    private static Variable Loss(Tape tape, ClipModel model, Variable image, Variable text)
    {
        using var similarity = tape.MatMulTransposed(image, text, 1);
        using var logits = tape.ScaleByExp(similarity, model.LogitScale, MaxScale);
        int[] targets = [.. Enumerable.Range(0, text.Shape[0])];
        using var byPicture = tape.CrossEntropy(logits, targets);
        using var transposed = tape.Transpose(logits);
        using var byText = tape.CrossEntropy(transposed, targets);
        using var sum = tape.Add(byPicture, byText);
        return tape.Scale(sum, 0.5f);
    }
}
