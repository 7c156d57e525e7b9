using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>What is looked at when the loss of some pictures has become NaN or infinite.</summary>
/// <param name="Images">The pictures.</param>
/// <param name="Texts">Class embeddings.</param>
/// <param name="Logits">Mask logits.</param>
internal sealed record PartTensors(Tensor Images, Tensor Texts, Tensor Logits) : IDisposable
{
    /// <summary>The first tensor with NaN or infinity.</summary>
    internal string FirstBad(LoadedModel loaded)
    {
        static bool Bad(Tensor tensor) => !Finite.All(tensor);
        var parameters = loaded.Model.Parameters().Concat(loaded.Clip.Parameters("clip."));
        if (parameters.FirstOrDefault(p => Bad(p.Parameter.Value)).Name is { } name)
        {
            return $"parameter {name}";
        }

        return Bad(Images) ? "the picture" : Bad(Texts) ? "text_embeddings" : Bad(Logits) ? "mask_logits" : "the loss";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Texts.Dispose();
        Logits.Dispose();
    }
}
