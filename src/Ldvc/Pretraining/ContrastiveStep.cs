using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Pretraining;

/// <summary>CLIP's symmetric contrastive loss: picture i belongs to text i, and to no other of the batch.</summary>
internal static class ContrastiveStep
{
    /// <summary>CLIP cuts the factor of the similarities here.</summary>
    internal const float MaxScale = 100;

    /// <summary>Runs forward and backward on pictures [B, 3, H, W] and B texts; returns the loss. Gradients are left in the parameters.</summary>
    internal static float Run(ClipModel model, Device device, Tensor pictures, TokenBatch texts)
    {
        using var tape = new Tape(device, recording: true);
        using var image = tape.L2Normalize(model.Visual.Encode(tape, pictures));
        using var text = tape.L2Normalize(model.Text.Encode(tape, texts));
        using var similarity = tape.MatMulTransposed(image, text, 1);
        using var logits = tape.ScaleByExp(similarity, model.LogitScale, MaxScale);
        int[] targets = [.. Enumerable.Range(0, texts.Count)];
        using var byPicture = tape.CrossEntropy(logits, targets);
        using var transposed = tape.Transpose(logits);
        using var byText = tape.CrossEntropy(transposed, targets);
        using var loss = tape.Add(byPicture, byText);
        using var half = device.FromHost([0.5f], new Shape(1));
        tape.Backward(loss, half);
        return 0.5f * loss.Value.ToScalar();
    }
}
