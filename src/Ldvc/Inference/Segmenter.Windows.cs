using System.Buffers;
using Ldvc.Autograd;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>Pictures become windows, windows mask logits.</summary>
public sealed partial class Segmenter
{
    private RgbImage Resize(RgbImage picture, double scale)
    {
        var (width, height) = Resized(picture.Width, picture.Height, scale);
        // Red, green and blue of it are one array.
        if ((long)width * height > Array.MaxLength / 3)
        {
            throw new InputException(
                $"{picture.Width}x{picture.Height} pixels become {width}x{height} when they are resized (eval.short_side, eval.scales), expected at "
                    + $"most {Array.MaxLength / 3} pixels in all");
        }

        return width == picture.Width && height == picture.Height ? picture : ResizeLinear.Apply(picture, width, height);
    }

    private (int Width, int Height) Resized(int width, int height, double scale = 1) => _eval.ExactShortSide
        ? Augmentation.FitShortSide(width, height, (int)(_eval.ShortSide * scale))
        : Augmentation.FitBox(width, height, (int)(_eval.LongSide * scale), (int)(_eval.ShortSide * scale));

    private int Padded(int side) => side >= _eval.Window ? side : (side + _patch - 1) / _patch * _patch;

    // The mask logits of all windows of some pictures, in all their views. Windows of one size share a batch, whichever picture they are of.
    private PictureViews[] RunViews(IReadOnlyList<RgbImage> pictures, Action<int, int>? progress)
    {
        PictureViews[] all = [.. pictures.Select(_ => new PictureViews())];
        var jobs = new List<(WindowSet Windows, RgbImage Resized, bool Flipped)>();
        try
        {
            for (int i = 0; i < pictures.Count; i++)
            {
                foreach (double scale in _eval.Scales)
                {
                    RgbImage resized = Resize(pictures[i], scale);
                    foreach (bool flipped in (bool[])(_eval.Flip ? [false, true] : [false]))
                    {
                        WindowSet windows = Cut(resized.Width, resized.Height);
                        all[i].Add(windows, flipped);
                        jobs.Add((windows, flipped ? resized.Mirrored() : resized, flipped));
                    }
                }
            }

            int done = 0, total = jobs.Sum(job => job.Windows.Places.Count);
            foreach (var group in jobs.GroupBy(job => job.Windows.Window))
            {
                Run([.. group.Select(job => (job.Windows, job.Resized))], () => progress?.Invoke(++done, total));
            }

            Fp16Overflow.Refuse(_device);
            return all;
        }
        catch
        {
            Array.ForEach(all, views => views.Dispose());
            throw;
        }
    }

    // Where the windows of a picture lie. A picture smaller than the window, or no multiple of the patch, is padded with the mean colour.
    private WindowSet Cut(int width, int height)
    {
        int paddedHeight = Padded(height), paddedWidth = Padded(width);
        int windowHeight = Math.Min(_eval.Window, paddedHeight), windowWidth = Math.Min(_eval.Window, paddedWidth);
        var windows = new WindowSet(height, width, paddedHeight, paddedWidth, (windowHeight, windowWidth));
        foreach (int top in Starts(paddedHeight, windowHeight))
        {
            foreach (int left in Starts(paddedWidth, windowWidth))
            {
                windows.Places.Add((top, left));
            }
        }

        return windows;
    }

    // Fills the logits of sets whose windows have one size, eval.batch windows at a time.
    private void Run(List<(WindowSet Windows, RgbImage Picture)> sets, Action counted)
    {
        var (windowHeight, windowWidth) = sets[0].Windows.Window;
        int size = 3 * windowHeight * windowWidth, left = sets.Sum(set => set.Windows.Places.Count), count = 0;
        int batch = Math.Min(Math.Min(_eval.Batch, left), Array.MaxLength / size);

        // A picture's floats are megabytes: arrays of that size are rented, so that the garbage collector does not run for them.
        float[] buffer = ArrayPool<float>.Shared.Rent(batch * size);
        float[] pixels = ArrayPool<float>.Shared.Rent(sets.Max(set => 3 * set.Picture.Width * set.Picture.Height));
        var owners = new List<WindowSet>();
        try
        {
            buffer.AsSpan().Clear();
            foreach (var (windows, picture) in sets)
            {
                ClipPreprocess.Normalize(picture, _statistics.Mean, _statistics.Std, pixels.AsSpan(0, 3 * picture.Width * picture.Height));
                foreach (var place in windows.Places)
                {
                    CopyWindow(pixels, picture.Height, picture.Width, place, windowHeight, windowWidth, buffer.AsSpan(count * size, size));
                    owners.Add(windows);
                    left--;
                    if (++count == batch || left == 0)
                    {
                        Forward(buffer.AsSpan(0, count * size), owners, windowHeight, windowWidth, counted);
                        buffer.AsSpan(0, count * size).Clear();
                        owners.Clear();
                        count = 0;
                    }
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(pixels);
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    // One batch; each picture gets the rows of its windows.
    private void Forward(ReadOnlySpan<float> pixels, List<WindowSet> owners, int height, int width, Action counted)
    {
        using var tape = new Tape(_device, recording: false);
        using var image = _device.FromHost(pixels, new Shape(owners.Count, 3, height, width));
        Tensor logits = _model.Forward(tape, image, tape.Constant(_classes.Share())).Value;
        for (int first = 0; first < owners.Count;)
        {
            int end = first;
            while (end < owners.Count && owners[end] == owners[first])
            {
                counted();
                end++;
            }

            owners[first].Logits.Add(logits.Slice(first, end - first));
            first = end;
        }
    }

    // mmsegmentation's places: steps of the stride, the last window moved back to end with the picture.
    private List<int> Starts(int side, int window)
    {
        var starts = new List<int>();
        for (int start = 0; ; start += _eval.Stride)
        {
            if (start + window >= side)
            {
                starts.Add(side - window);
                return starts;
            }

            starts.Add(start);
        }
    }

    private static void CopyWindow(
        float[] pixels, int height, int width, (int Top, int Left) place, int windowHeight, int windowWidth, Span<float> target)
    {
        int rows = Math.Min(windowHeight, height - place.Top), columns = Math.Min(windowWidth, width - place.Left);
        for (int c = 0; c < 3; c++)
        {
            for (int y = 0; y < rows; y++)
            {
                pixels.AsSpan((((c * height) + place.Top + y) * width) + place.Left, columns).CopyTo(
                    target[(((c * windowHeight) + y) * windowWidth)..]);
            }
        }
    }
}
