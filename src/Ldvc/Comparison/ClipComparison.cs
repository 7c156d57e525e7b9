using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>Reruns a plain CLIP on the inputs of a reference file: features, logits, the output of every block, and a rectangular picture.</summary>
internal static class ClipComparison
{
    internal static void Run(ReferenceFile file, ClipModel clip, Device device)
    {
        CompareFeatures(file, clip, device);
        if (file.Has("rect.image"))
        {
            CompareRectangle(file, clip, device);
        }

        file.RequireAllCompared(name => name is "image" or "ids" or "rect.image");
    }

    private static void CompareFeatures(ReferenceFile file, ClipModel clip, Device device)
    {
        using var tape = new Tape(device, recording: false);
        Variable? images = null, texts = null;
        if (file.Has("image"))
        {
            using var picture = file.Picture(device, "image", clip.Config);
            images = clip.Visual.Encode(tape, picture, (i, x) => file.Check($"visual.block{i}", x.Value));
            file.Check("image_features", images.Value);
        }

        if (file.Has("ids"))
        {
            // The file holds every token's activations, so nothing is cut off here.
            texts = clip.Text.Encode(tape, file.Texts(clip.Config, truncate: false), (i, x) => file.Check($"text.block{i}", x.Value));
            file.Check("text_features", texts.Value);
        }

        if (images is not null && texts is not null)
        {
            var similarity = tape.MatMulTransposed(tape.L2Normalize(images), tape.L2Normalize(texts), 1);
            var logits = tape.ScaleByExp(similarity, clip.LogitScale, float.PositiveInfinity);
            file.Check("logits_per_image", logits.Value);
        }
    }

    /// <summary>Positions resized to another grid, and the projected patches (method.md 2) without prompts.</summary>
    private static void CompareRectangle(ReferenceFile file, ClipModel clip, Device device)
    {
        using var tape = new Tape(device, recording: false);
        using var picture = file.Picture(device, "rect.image", clip.Config);
        var (token, patches) = clip.Visual.EncodeDense(tape, picture);
        file.Check("rect.class_embedding", token.Value);
        file.Check("rect.patch_embeddings", patches.Value);
    }
}
