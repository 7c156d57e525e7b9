using Ldvc.Lab.Synthetic;

namespace Ldvc.Lab.Pretraining;

/// <summary>How often a CLIP gives a drawn picture the right one of a list of names.</summary>
internal static class ZeroShotAccuracy
{
    /// <summary>Fraction of the probe's pictures whose best-fitting name is the right one.</summary>
    internal static double Measure(ProbeEmbedder clip, IZeroShotProbe probe)
    {
        float[] texts = clip.Texts(probe.Prompts);
        float[] pictures = clip.Pictures(probe.Count, (i, pixels) => probe.Render(i, pixels.Span));
        int right = 0;
        for (int i = 0; i < probe.Count; i++)
        {
            int best = 0;
            double bestScore = double.NegativeInfinity;
            for (int c = 0; c < probe.Prompts.Count; c++)
            {
                double score = clip.Similarity(pictures, i, texts, c);
                if (score > bestScore)
                {
                    (best, bestScore) = (c, score);
                }
            }

            right += best == probe.LabelOf(i) ? 1 : 0;
        }

        return (double)right / probe.Count;
    }
}
