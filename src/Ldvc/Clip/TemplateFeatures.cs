using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>Text features over several templates: for every name, the mean of the unit vectors of its sentences, renormalised.</summary>
internal static class TemplateFeatures
{
    // Sentences whose activations lie in memory at once.
    private const int Batch = 256;

    // Names whose sentences are put in order together.
    private const int NamesAtOnce = 256;

    /// <summary>Features [names, E] of unit length.</summary>
    /// <param name="clip">The CLIP.</param>
    /// <param name="device">Where it lives.</param>
    /// <param name="names">How many names there are.</param>
    /// <param name="templates">Sentences of each.</param>
    /// <param name="tokens">Padded ids of a name in a template.</param>
    /// <param name="cancellation">Told to stop.</param>
    /// <exception cref="InputException">The device's precision does not hold the texts' numbers.</exception>
    /// <exception cref="OperationCanceledException">It was.</exception>
    internal static float[] Compute(
        ClipModel clip, Device device, int names, int templates, Func<int, int, int[]> tokens, CancellationToken cancellation)
    {
        int width = clip.Config.Embedding, context = clip.Config.ContextLength;
        var means = new UnitMeans(names, width);
        var features = new float[Batch * width];
        for (int first = 0; first < names; first += NamesAtOnce)
        {
            Add(Enumerable.Range(first, Math.Min(NamesAtOnce, names - first)));
        }

        Fp16Overflow.Refuse(device);
        return means.ToArray();

        void Add(IEnumerable<int> some)
        {
            (int Name, int[] Ids)[] texts =
            [
                .. some.SelectMany(name => Enumerable.Range(0, templates).Select(template => (name, tokens(name, template))))

                    // Sentences that begin alike come together, so that they are computed together.
                    .OrderBy(text => text.Item2, Comparer<int[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))),
            ];
            foreach (var batch in texts.Chunk(Batch))
            {
                cancellation.ThrowIfCancellationRequested();
                var ids = new int[batch.Length * context];
                for (int i = 0; i < batch.Length; i++)
                {
                    batch[i].Ids.CopyTo(ids, i * context);
                }

                using var tape = new Tape(device, recording: false);
                var tree = TokenTree.Create(TokenBatch.Create(ids, batch.Length));
                tape.L2Normalize(clip.Text.Encode(tape, tree)).Value.CopyToHost(features.AsSpan(0, batch.Length * width));
                for (int i = 0; i < batch.Length; i++)
                {
                    means.Add(batch[i].Name, features.AsSpan(i * width, width));
                }
            }
        }
    }
}
