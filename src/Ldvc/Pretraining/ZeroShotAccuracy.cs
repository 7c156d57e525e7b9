using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Synthetic;
using Ldvc.Tensors;

namespace Ldvc.Pretraining;

/// <summary>How often a CLIP names a single drawn object correctly, the names being given as "a photo of a ...".</summary>
internal static class ZeroShotAccuracy
{
    private const int Batch = 64;

    /// <summary>Fraction of the probe's pictures whose best-fitting name is the right one.</summary>
    internal static double Measure(ClipModel model, Device device, ClipTokenizer tokenizer, ZeroShotProbe probe)
    {
        int context = model.Config.ContextLength;
        int[] ids = [.. probe.ClassNames.SelectMany(name => tokenizer.Encode("a photo of " + Vocabulary.WithArticle(name), context))];
        float[] texts;
        using (var tape = new Tape(device, recording: false))
        {
            texts = tape.L2Normalize(model.Text.Encode(tape, TokenBatch.Create(ids, probe.ClassNames.Length))).Value.ToArray();
        }

        int size = probe.Size, width = model.Config.Embedding, right = 0;
        var pixels = new byte[Batch * 3 * size * size];
        var floats = new float[pixels.Length];
        for (int start = 0; start < probe.Count; start += Batch)
        {
            int count = Math.Min(Batch, probe.Count - start);
            for (int i = 0; i < count; i++)
            {
                probe.Render(start + i, pixels.AsSpan(i * 3 * size * size, 3 * size * size));
            }

            CaptionBatches.Normalize(pixels, floats, count, size);
            using var tape = new Tape(device, recording: false);
            using var pictures = device.FromHost(floats.AsSpan(0, count * 3 * size * size), new Shape(count, 3, size, size));
            float[] features = tape.L2Normalize(model.Visual.Encode(tape, pictures)).Value.ToArray();
            for (int i = 0; i < count; i++)
            {
                int best = 0;
                double bestScore = double.NegativeInfinity;
                for (int c = 0; c < probe.ClassNames.Length; c++)
                {
                    double score = 0;
                    for (int k = 0; k < width; k++)
                    {
                        score += features[(i * width) + k] * texts[(c * width) + k];
                    }

                    if (score > bestScore)
                    {
                        (best, bestScore) = (c, score);
                    }
                }

                right += best == probe.LabelOf(start + i) ? 1 : 0;
            }
        }

        return (double)right / probe.Count;
    }
}
