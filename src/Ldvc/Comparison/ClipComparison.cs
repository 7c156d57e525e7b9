using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>Reruns a plain CLIP on the inputs of a reference file: features, logits, the output of every block, and a rectangular picture.</summary>
internal static class ClipComparison
{
    private static readonly HashSet<string> Inputs = ["image", "ids", "rect.image"];

    internal static void Run(ReferenceFile file, ClipModel clip, Device device)
    {
        using (var tape = new Tape(device, recording: false))
        {
            Variable? images = null, texts = null;
            if (file.Has("image"))
            {
                using var picture = file.Upload(device, "image", 4);
                images = clip.Visual.Encode(tape, picture, (i, x) => file.Check($"visual.block{i}", x.Value));
                file.Check("image_features", images.Value);
            }

            if (file.Has("ids"))
            {
                var shape = file.ShapeOf("ids", 2);

                // The file holds every token's activations, so nothing is cut off here.
                texts = clip.Text.Encode(tape, Texts(file, clip, shape), (i, x) => file.Check($"text.block{i}", x.Value));
                file.Check("text_features", texts.Value);
            }

            if (images is not null && texts is not null)
            {
                using var similarity = tape.MatMulTransposed(tape.L2Normalize(images), tape.L2Normalize(texts), 1);
                using var logits = tape.ScaleByExp(similarity, clip.LogitScale, float.PositiveInfinity);
                file.Check("logits_per_image", logits.Value);
            }
        }

        if (file.Has("rect.image"))
        {
            using var tape = new Tape(device, recording: false);
            using var picture = file.Upload(device, "rect.image", 4);
            var x = clip.Visual.Embed(tape, picture);
            for (int i = 0; i < clip.Visual.Layers; i++)
            {
                x = clip.Visual.Block(tape, i, x);
            }

            var projected = clip.Visual.Project(tape, x);
            file.Check("rect.class_embedding", tape.L2Normalize(tape.SliceTokens(projected, 0, 1)).Value);
            file.Check("rect.patch_embeddings", tape.L2Normalize(tape.SliceTokens(projected, 1, projected.Shape[1] - 1)).Value);
        }

        file.RequireAllCompared(Inputs);
    }

    private static TokenBatch Texts(ReferenceFile file, ClipModel clip, Shape shape)
    {
        int[] ids = file.Ints("ids");
        if (shape[1] > clip.Config.ContextLength || ids.Any(id => id < 0 || id >= clip.Config.VocabularySize))
        {
            throw new InputException(
                $"{file.Path}: tensor 'ids' {shape} does not fit this CLIP's context of {clip.Config.ContextLength} and vocabulary of {clip.Config.VocabularySize}");
        }

        return TokenBatch.Create(ids, shape[0], truncate: false);
    }
}
