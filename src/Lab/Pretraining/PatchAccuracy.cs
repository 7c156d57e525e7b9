using Ldvc.Lab.Synthetic;

namespace Ldvc.Lab.Pretraining;

/// <summary>
/// How often the patches of things, each by itself, are nearest to the name of what they show: segmentation depends on it. A patch counts when most
/// of its pixels belong to one thing.
/// </summary>
internal static class PatchAccuracy
{
    private const double MinShare = 0.8;

    /// <summary>Fraction of the patches of things in the probe's pictures whose best-fitting sentence is the right one.</summary>
    internal static double Measure(ProbeEmbedder clip, CropProbe probe)
    {
        float[] texts = clip.Texts(probe.Prompts);
        float[] patches = clip.Patches(probe.Count, (i, pixels) => probe.Render(i, pixels.Span));
        int right = 0, counted = 0, grid = clip.Grid, edge = clip.Size / grid;
        for (int i = 0; i < probe.Count; i++)
        {
            int[] things = probe.ThingsOf(i);
            for (int patch = 0; patch < grid * grid; patch++)
            {
                int thing = Shown(things, clip.Size, patch / grid * edge, patch % grid * edge, edge);
                if (thing >= 0)
                {
                    counted++;
                    right += Nearest(clip, patches, (i * grid * grid) + patch, texts, probe.Prompts.Count) == thing ? 1 : 0;
                }
            }
        }

        return counted == 0 ? 0 : (double)right / counted;
    }

    private static int Shown(int[] things, int width, int top, int left, int edge)
    {
        int thing = things[((top + (edge / 2)) * width) + left + (edge / 2)], same = 0;
        for (int y = top; y < top + edge; y++)
        {
            for (int x = left; x < left + edge; x++)
            {
                same += things[(y * width) + x] == thing ? 1 : 0;
            }
        }

        return same >= MinShare * edge * edge ? thing : -1;
    }

    private static int Nearest(ProbeEmbedder clip, float[] patches, int patch, float[] texts, int count)
    {
        int best = 0;
        for (int c = 1; c < count; c++)
        {
            best = clip.Similarity(patches, patch, texts, c) > clip.Similarity(patches, patch, texts, best) ? c : best;
        }

        return best;
    }
}
