using Ldvc.Lab.Synthetic;

namespace Ldvc.Lab.Pretraining;

/// <summary>
/// Retrieval among held-out pairs, as CLIP papers report it: the share of queries whose own partner is the nearest one (R@1), or among the five
/// nearest (R@5). A partner that ties with another one counts as the later of the two.
/// </summary>
/// <param name="Pairs">Pictures, and sentences, that are searched.</param>
/// <param name="ImageToText1">R@1 of sentences for a picture.</param>
/// <param name="ImageToText5">R@5 of sentences for a picture.</param>
/// <param name="TextToImage1">R@1 of pictures for a sentence.</param>
/// <param name="TextToImage5">R@5 of pictures for a sentence.</param>
internal sealed record RetrievalScore(int Pairs, double ImageToText1, double ImageToText5, double TextToImage1, double TextToImage5)
{
    // Batches of training are numbered from 0 to the number of steps: far from this one.
    private const long HeldOutStep = 1L << 40;

    /// <summary>
    /// Draws pairs like those of training (hard negatives included, no two captions say the same), from a part of the stream that training never
    /// reaches.
    /// </summary>
    internal static RetrievalScore Measure(ProbeEmbedder clip, CaptionOptions options, ulong seed, int pairs)
    {
        CaptionSample[] samples = CaptionSampler.SampleScenes(seed, HeldOutStep, pairs, options);
        float[] texts = clip.Texts([.. samples.Select(s => s.Caption)]);
        float[] pictures = clip.Pictures(pairs, (i, pixels) => SceneRenderer.Render(samples[i].Scene, pixels.Span, []));
        return FromSimilarities(pairs, (i, t) => clip.Similarity(pictures, i, texts, t));
    }

    /// <summary>Scores a matrix of similarities, (picture, sentence).</summary>
    internal static RetrievalScore FromSimilarities(int pairs, Func<int, int, double> similarity)
    {
        var (toText1, toText5, toImage1, toImage5) = (0, 0, 0, 0);
        for (int own = 0; own < pairs; own++)
        {
            double score = similarity(own, own);
            int texts = 0, images = 0;
            for (int other = 0; other < pairs; other++)
            {
                texts += other != own && similarity(own, other) >= score ? 1 : 0;
                images += other != own && similarity(other, own) >= score ? 1 : 0;
            }

            toText1 += texts < 1 ? 1 : 0;
            toText5 += texts < 5 ? 1 : 0;
            toImage1 += images < 1 ? 1 : 0;
            toImage5 += images < 5 ? 1 : 0;
        }

        double n = pairs;
        return new RetrievalScore(pairs, toText1 / n, toText5 / n, toImage1 / n, toImage5 / n);
    }
}
