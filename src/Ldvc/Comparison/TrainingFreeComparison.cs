using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>
/// Reruns segmentation without training: class features over several templates, patches, and their cosines (docs/training-free.md).
/// </summary>
internal static class TrainingFreeComparison
{
    /// <summary>The option `kind` of such files.</summary>
    internal const string Kind = "training-free";

    internal static void Run(ReferenceFile file, ClipModel clip, Device device)
    {
        var options = TrainingFreeOptions.Read(file);
        float[] features = Features(file, clip, device, options.Templates);
        using var texts = device.FromHost(features, new Shape(features.Length / clip.Config.Embedding, clip.Config.Embedding));
        file.Check("text_embeddings", texts);

        // The CLIP is the caller's; the model that shares it here is not disposed of.
        var model = new TrainingFreeModel(clip, "", options.Config) { Statistics = Imaging.ImageStatistics.Clip };
        foreach (string prefix in new[] { "", "rect." })
        {
            if (file.Has(prefix + "image"))
            {
                using var picture = file.Picture(device, prefix + "image", clip.Config);
                using var tape = new Tape(device, recording: false);
                file.Check(prefix + "patch_embeddings", model.EncodePatches(tape, picture).Value);
                file.Check(prefix + "logits", model.Forward(tape, picture, tape.Constant(texts.Share())).Value);
            }
        }

        file.RequireAllCompared(name => name is "image" or "ids" or "rect.image");
    }

    // Rows c * templates to (c + 1) * templates - 1 of the ids are class c.
    private static float[] Features(ReferenceFile file, ClipModel clip, Device device, int templates)
    {
        TokenBatch batch = file.Texts(clip.Config, truncate: true);
        if (batch.Count % templates != 0)
        {
            throw new InputException($"{file.Path}: tensor 'ids' has {batch.Count} texts, expected a multiple of option 'templates', {templates}.");
        }

        int width = clip.Config.Embedding;
        var means = new UnitMeans(batch.Count / templates, width);
        using var tape = new Tape(device, recording: false);
        float[] units = tape.L2Normalize(clip.Text.Encode(tape, batch)).Value.ToArray();
        for (int i = 0; i < batch.Count; i++)
        {
            means.Add(i / templates, units.AsSpan(i * width, width));
        }

        return means.ToArray();
    }
}
