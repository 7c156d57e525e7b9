using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>What gives a window's mask logits: a trained model, or a CLIP alone.</summary>
internal interface IMaskModel
{
    /// <summary>The frozen CLIP.</summary>
    ClipModel Clip { get; }

    /// <summary>Mask logits [B, C, h, w] of pictures [B, 3, H, W] for the embeddings t [C, E] of names.</summary>
    Variable Forward(Tape tape, Tensor image, Variable texts);
}
