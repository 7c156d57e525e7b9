using Ldvc.Autograd;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>
/// Sliding-window inference (method.md 9): probabilities of overlapping windows are averaged, resized to the picture, and the best class wins. The
/// class embeddings are computed once, when the segmenter is made.
/// </summary>
internal sealed class Segmenter : IDisposable
{
    private readonly LdvcModel _model;
    private readonly Device _device;
    private readonly SegmenterOptions _options;
    private readonly Tensor _classes;
    private readonly Tensor _penalty;
    private readonly int _patch;

    /// <summary>Takes ownership of the class embeddings.</summary>
    /// <param name="model">The model.</param>
    /// <param name="classEmbeddings">t [C, E].</param>
    /// <param name="penalty">Subtracted from each class's probability [C]: 0.1 for seen classes after inductive training.</param>
    /// <param name="options">Windows and normalisation.</param>
    internal Segmenter(LdvcModel model, Tensor classEmbeddings, ReadOnlySpan<float> penalty, SegmenterOptions options)
    {
        _patch = model.Clip.Config.PatchSize;
        if (options.Window % _patch != 0 || options.Stride > options.Window)
        {
            throw new InputException($"eval.window is {options.Window} and eval.stride {options.Stride}; expected a multiple of the patch ({_patch}), and a stride of at most the window");
        }

        (_model, _options, _classes) = (model, options, classEmbeddings);
        _device = classEmbeddings.Device;
        _penalty = _device.FromHost(penalty, new Shape(penalty.Length));
    }

    /// <summary>Labels every pixel with a class index; below the threshold, if there is one, with 255. Also gives the winning score per pixel.</summary>
    internal (LabelMap Labels, float[] Scores) Segment(RgbImage picture, double? background = null)
    {
        var (height, width, canvas, counts) = Accumulate(picture);
        using (canvas)
        using (counts)
        {
            return Decide(picture, canvas, counts, height, width, background);
        }
    }

    /// <summary>
    /// Labels under several penalties [C] from one pass over the windows: a penalty is subtracted from every window alike, so it can as well be subtracted
    /// from their sum.
    /// </summary>
    internal LabelMap[] SegmentWithPenalties(RgbImage picture, IReadOnlyList<float[]> penalties, double? background = null)
    {
        var (height, width, canvas, counts) = Accumulate(picture);
        using (canvas)
        using (counts)
        {
            var labels = new LabelMap[penalties.Count];
            float[] applied = _penalty.ToArray();
            long plane = counts.Count;
            for (int i = 0; i < labels.Length; i++)
            {
                for (int c = 0; c < applied.Length; c++)
                {
                    if (penalties[i][c] != applied[c])
                    {
                        KernelSet.For(_device).Elementwise.Scale(counts, applied[c] - penalties[i][c], canvas.View.Shift(c * plane), true, plane);
                    }
                }

                applied = penalties[i];
                labels[i] = Decide(picture, canvas, counts, height, width, background).Labels;
            }

            return labels;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _classes.Dispose();
        _penalty.Dispose();
    }

    // The sum of all windows' scores [C, H', W'] and how many windows lie over each pixel [H', W'], at the resized picture's size (padded to the window).
    private (int Height, int Width, Tensor Canvas, Tensor Counts) Accumulate(RgbImage picture)
    {
        var resized = Resize(picture);

        // A picture smaller than the window, or no multiple of the patch, is padded with the mean colour; the padding is cut off again below.
        int height = resized.Height, width = resized.Width, paddedHeight = Padded(height), paddedWidth = Padded(width);
        var canvas = _device.Zeros(new Shape(_classes.Shape[0], paddedHeight, paddedWidth));
        var counts = _device.Zeros(new Shape(paddedHeight, paddedWidth));
        try
        {
            var pixels = new float[3 * height * width];
            ClipPreprocess.Normalize(resized, _options.Mean, _options.Deviation, pixels);
            AddWindows(pixels, height, width, canvas, counts);
            return (height, width, canvas, counts);
        }
        catch
        {
            canvas.Dispose();
            counts.Dispose();
            throw;
        }
    }

    private (LabelMap Labels, float[] Scores) Decide(RgbImage picture, Tensor canvas, Tensor counts, int height, int width, double? background)
    {
        var kernels = KernelSet.For(_device).Segmentation;
        int classes = canvas.Shape[0];
        using var labels = _device.Empty(new Shape(picture.Height, picture.Width), DType.UInt8);
        using var best = _device.Empty(new Shape(picture.Height, picture.Width));
        using var cut = Cut(canvas, classes, height, width);
        using var cutCounts = Cut(counts, 1, height, width);
        kernels.Argmax(cut, cutCounts, labels, best, classes, height, width, picture.Height, picture.Width);
        if (background is { } threshold)
        {
            kernels.ApplyBackground(labels, best, (float)threshold, best.Count);
        }

        return (new LabelMap(picture.Width, picture.Height, labels.ToArray<byte>()), best.ToArray());
    }

    private RgbImage Resize(RgbImage picture)
    {
        var (width, height) = Augmentation.FitBox(picture.Width, picture.Height, _options.LongSide, _options.ShortSide);
        return width == picture.Width && height == picture.Height ? picture : ResizeLinear.Apply(picture, width, height);
    }

    private int Padded(int side) => side >= _options.Window ? side : (side + _patch - 1) / _patch * _patch;

    private static Tensor Cut(Tensor canvas, int planes, int height, int width)
    {
        int paddedHeight = canvas.Shape[-2], paddedWidth = canvas.Shape[-1];
        if (paddedHeight == height && paddedWidth == width)
        {
            return canvas.Share();
        }

        var cut = canvas.Device.Empty(new Shape(planes, height, width));
        var tokens = KernelSet.For(canvas.Device).Tokens;
        for (int p = 0; p < planes; p++)
        {
            tokens.CopyBlocks(canvas.View.Shift((long)p * paddedHeight * paddedWidth), paddedWidth, cut.View.Shift((long)p * height * width), width, height, width, false);
        }

        return cut;
    }

    private void AddWindows(float[] pixels, int height, int width, Tensor canvas, Tensor counts)
    {
        int paddedHeight = canvas.Shape[1], paddedWidth = canvas.Shape[2];
        int windowHeight = Math.Min(_options.Window, paddedHeight), windowWidth = Math.Min(_options.Window, paddedWidth);
        var places = new List<(int Top, int Left)>();
        foreach (int top in Starts(paddedHeight, windowHeight))
        {
            foreach (int left in Starts(paddedWidth, windowWidth))
            {
                places.Add((top, left));
            }
        }

        int size = 3 * windowHeight * windowWidth;
        var buffer = new float[Math.Min(_options.Batch, places.Count) * size];
        for (int first = 0; first < places.Count; first += _options.Batch)
        {
            int count = Math.Min(_options.Batch, places.Count - first);
            Array.Clear(buffer);
            for (int i = 0; i < count; i++)
            {
                CopyWindow(pixels, height, width, places[first + i], windowHeight, windowWidth, buffer.AsSpan(i * size, size));
            }

            using var tape = new Tape(_device, recording: false);
            using var image = _device.FromHost(buffer.AsSpan(0, count * size), new Shape(count, 3, windowHeight, windowWidth));
            var logits = _model.Forward(tape, image, tape.Constant(_classes.Share()));
            for (int i = 0; i < count; i++)
            {
                using var z = logits.Value.Slice(i, 1);
                var (top, left) = places[first + i];
                KernelSet.For(_device).Segmentation.AddWindow(
                    z, _penalty, canvas, counts, logits.Shape[1], logits.Shape[2], logits.Shape[3], windowHeight, windowWidth, paddedHeight, paddedWidth, top, left);
            }
        }
    }

    // mmsegmentation's places: steps of the stride, the last window moved back to end with the picture.
    private List<int> Starts(int side, int window)
    {
        var starts = new List<int>();
        for (int start = 0; ; start += _options.Stride)
        {
            if (start + window >= side)
            {
                starts.Add(side - window);
                return starts;
            }

            starts.Add(start);
        }
    }

    private static void CopyWindow(float[] pixels, int height, int width, (int Top, int Left) place, int windowHeight, int windowWidth, Span<float> target)
    {
        int rows = Math.Min(windowHeight, height - place.Top), columns = Math.Min(windowWidth, width - place.Left);
        for (int c = 0; c < 3; c++)
        {
            for (int y = 0; y < rows; y++)
            {
                pixels.AsSpan((((c * height) + place.Top + y) * width) + place.Left, columns).CopyTo(target[(((c * windowHeight) + y) * windowWidth)..]);
            }
        }
    }
}
