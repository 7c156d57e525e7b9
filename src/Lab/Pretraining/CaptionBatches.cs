using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;

namespace Ldvc.Lab.Pretraining;

/// <summary>
/// Drawn pictures and their captions as tensors. Batch number `step` is a pure function of the seed. For a device that computes while the host does
/// something else, the next batch is drawn in the meantime.
/// </summary>
internal sealed class CaptionBatches
{
    private readonly ClipTokenizer _tokenizer;
    private readonly CaptionOptions _options;
    private readonly ulong _seed;
    private readonly int _context;
    private readonly byte[] _bytes;
    private readonly float[] _floats;
    private readonly string[] _captions;
    private (long Step, Task Drawn)? _ahead;

    internal CaptionBatches(ClipTokenizer tokenizer, CaptionOptions options, ulong seed, int batch, int context)
    {
        (_tokenizer, _options, _seed, _context) = (tokenizer, options, seed, context);
        _bytes = new byte[batch * 3 * options.Size * options.Size];
        _floats = new float[_bytes.Length];
        _captions = new string[batch];
    }

    /// <summary>Refuses batches that no buffer can hold.</summary>
    /// <exception cref="InputException">It is one.</exception>
    internal static void CheckRoom(int batch, int size)
    {
        if (3L * batch * size * size > Array.MaxLength)
        {
            throw new InputException(
                $"pretrain.batch: expected pictures that one buffer holds, found {batch} of {size}x{size}; try a smaller batch, or a smaller "
                    + "pretrain.vision.image");
        }
    }

    /// <summary>Draws a batch: pictures [B, 3, S, S] normalised with CLIP's statistics, and token ids.</summary>
    internal (Tensor Pictures, TokenBatch Texts) Draw(Device device, long step, int threads)
    {
        // An exception of the batch before is not this one's, so it is waited for and not asked.
        (long Step, Task Drawn)? ahead = _ahead;
        _ahead = null;
        if (ahead?.Step == step)
        {
            ahead.Value.Drawn.GetAwaiter().GetResult();
        }
        else
        {
            ahead?.Drawn.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
            DrawPictures(step, threads);
        }

        int batch = _captions.Length, size = _options.Size;
        var ids = new int[batch * _context];
        for (int i = 0; i < batch; i++)
        {
            _tokenizer.Encode(_captions[i], _context).CopyTo(ids, i * _context);
        }

        // Copied when the call returns: the buffers are free again.
        var pictures = device.FromHost(_floats, new Shape(batch, 3, size, size));
        if (device.CopiesAhead)
        {
            _ahead = (step + 1, Task.Run(() => DrawPictures(step + 1, threads)));
        }

        return (pictures, TokenBatch.Create(ids, batch));
    }

    private void DrawPictures(long step, int threads)
    {
        CaptionSampler.SampleBatch(_seed, step, _captions.Length, _bytes, _captions, _options, threads);
        int size = 3 * _options.Size * _options.Size;
        Parallel.For(0, _captions.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            Normalize(_bytes.AsSpan(i * size, size), _floats.AsSpan(i * size, size), 1, _options.Size));
    }

    /// <summary>[B, S, S, 3] bytes to [B, 3, S, S] normalised floats.</summary>
    internal static void Normalize(ReadOnlySpan<byte> pixels, Span<float> target, int batch, int size)
    {
        var statistics = ImageStatistics.Clip;
        int plane = size * size;
        for (int b = 0; b < batch; b++)
        {
            for (int c = 0; c < 3; c++)
            {
                float scale = 1 / (255f * statistics.Std[c]), shift = -statistics.Mean[c] / statistics.Std[c];
                var from = pixels.Slice(b * 3 * plane, 3 * plane);
                var to = target.Slice(((b * 3) + c) * plane, plane);
                for (int i = 0; i < plane; i++)
                {
                    to[i] = (from[(3 * i) + c] * scale) + shift;
                }
            }
        }
    }
}
