using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Lab.Pretraining;

/// <summary>Unit vectors of drawn pictures and of sentences, in batches, from a CLIP that is not being trained at the moment.</summary>
internal sealed class ProbeEmbedder(ClipModel model, Device device, ClipTokenizer tokenizer)
{
    private const int Batch = 64;

    /// <summary>Numbers in a vector.</summary>
    internal int Width => model.Config.Embedding;

    /// <summary>Columns and rows of a picture.</summary>
    internal int Size => model.Config.ImageSize;

    /// <summary>Patches along an edge of a picture.</summary>
    internal int Grid => Size / model.Config.PatchSize;

    /// <summary>Vectors [n, Width] of n pictures; <paramref name="draw"/> fills the bytes [Size, Size, 3] of one of them.</summary>
    internal float[] Pictures(int count, Action<int, Memory<byte>> draw) =>
        Pictures(count, draw, 1, (tape, pictures) => tape.L2Normalize(model.Visual.Encode(tape, pictures)));

    /// <summary>Vectors [n, Grid, Grid, Width] of the patches of n pictures.</summary>
    internal float[] Patches(int count, Action<int, Memory<byte>> draw) =>
        Pictures(count, draw, Grid * Grid, (tape, pictures) => model.Visual.EncodeDense(tape, pictures).Patches);

    /// <summary>Vectors [n, Width] of n sentences.</summary>
    internal float[] Texts(IReadOnlyList<string> sentences)
    {
        var vectors = new float[sentences.Count * Width];
        for (int start = 0; start < sentences.Count; start += Batch)
        {
            int n = Math.Min(Batch, sentences.Count - start);
            int[] ids = [.. sentences.Skip(start).Take(n).SelectMany(s => tokenizer.Encode(s, model.Config.ContextLength))];
            using var tape = new Tape(device, recording: false);
            tape.L2Normalize(model.Text.Encode(tape, TokenBatch.Create(ids, n))).Value.ToArray().CopyTo(vectors, start * Width);
        }

        Fp16Overflow.Refuse(device);
        return vectors;
    }

    /// <summary>Scalar product of row <paramref name="i"/> of <paramref name="a"/> with row <paramref name="j"/> of <paramref name="b"/>.</summary>
    internal double Similarity(float[] a, int i, float[] b, int j)
    {
        double sum = 0;
        for (int k = 0; k < Width; k++)
        {
            sum += a[(i * Width) + k] * b[(j * Width) + k];
        }

        return sum;
    }

    private float[] Pictures(int count, Action<int, Memory<byte>> draw, int each, Func<Tape, Tensor, Variable> encode)
    {
        int pixels = 3 * Size * Size;
        var bytes = new byte[Batch * pixels];
        var floats = new float[bytes.Length];
        var vectors = new float[count * each * Width];
        for (int start = 0; start < count; start += Batch)
        {
            int n = Math.Min(Batch, count - start);
            for (int i = 0; i < n; i++)
            {
                draw(start + i, bytes.AsMemory(i * pixels, pixels));
            }

            CaptionBatches.Normalize(bytes, floats, n, Size);
            using var tape = new Tape(device, recording: false);
            using var pictures = device.FromHost(floats.AsSpan(0, n * pixels), new Shape(n, 3, Size, Size));
            encode(tape, pictures).Value.ToArray().CopyTo(vectors, start * each * Width);
        }

        Fp16Overflow.Refuse(device);
        return vectors;
    }
}
