using System.Numerics;
using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>Several pictures at once, several views of a picture, and the scores of all classes.</summary>
public sealed partial class Segmenter
{
    // Elements of what several views are averaged in, at the picture's size.
    private const long MaxAveraged = 1L << 26;

    /// <summary>Elements of a canvas at most, beyond those of one name: 1 GiB; kernels of GPUs count them with 32 bits.</summary>
    internal long MaxCanvas { get; set; } = 1L << 28;

    // Scores of all classes of one picture: 4 GiB here, 2 GiB in a file.
    private const long MaxScores = 1L << 30;

    /// <summary>Labels several pictures; their windows share batches (eval.batch).</summary>
    /// <param name="pictures">The pictures and what they are called.</param>
    /// <param name="background">As for <see cref="Label(RgbImage, string, double?)"/>.</param>
    /// <param name="scores">Whether the scores of all classes are wanted.</param>
    /// <param name="progress">Gets the windows done and the windows in all.</param>
    /// <returns>Results, and scores [C, H, W]: what the labels are the largest of, probabilities less the penalty.</returns>
    /// <exception cref="InputException">A picture is too large when it is resized, or has more scores than there is room for.</exception>
    internal (SegmentResult Result, float[]? Scores)[] LabelAll(
        IReadOnlyList<(RgbImage Picture, string Name)> pictures, double? background, bool scores = false, Action<int, int>? progress = null)
    {
        foreach (var (picture, _) in pictures)
        {
            if (scores && ScoresOf(picture) > MaxScores)
            {
                throw new InputException(
                    $"{picture.Width}x{picture.Height} pixels and {ClassCount} classes have {ScoresOf(picture)} probabilities, expected at most "
                        + $"{MaxScores}");
            }
        }

        PictureViews[] all = RunViews([.. pictures.Select(p => p.Picture)], progress);
        try
        {
            return [.. pictures.Select((p, i) => (Label(all[i], p.Picture, p.Name, background), scores ? ClassScores(all[i], p.Picture) : null))];
        }
        finally
        {
            Array.ForEach(all, views => views.Dispose());
        }
    }

    /// <summary>How many scores a picture has: one for each class and pixel.</summary>
    internal long ScoresOf(RgbImage picture) => (long)ClassCount * picture.Width * picture.Height;

    private SegmentResult Label(PictureViews views, RgbImage picture, string name, double? background)
    {
        ClassList list = _list ?? throw new InvalidOperationException("a segmenter of embeddings without names has no result to write");
        string[] kept = [.. list.Take(list.Count - _ignored)];
        LabelMap labels = Segment(views, picture, background).Labels;
        if (labels.Wide is not { } wide)
        {
            Forget<byte>(labels.Labels, kept.Length, LabelMap.Ignore);
            return new SegmentResult(name, picture, labels, kept);
        }

        Forget<ushort>(wide.Labels, kept.Length, LabelMap.WideIgnore);
        if (kept.Length > ClassList.MaxInBytes)
        {
            return new SegmentResult(name, picture, wide, kept);
        }

        // The names to be ignored do not decide how results are stored. "No label" has all bits set in either width.
        var bytes = new LabelMap(labels.Width, labels.Height, Array.ConvertAll(wide.Labels, label => (byte)label));
        return new SegmentResult(name, picture, bytes, kept);
    }

    // Classes from `first` on count as no label.
    private void Forget<T>(Span<T> labels, int first, T none)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (_ignored > 0)
        {
            foreach (ref T label in labels)
            {
                label = int.CreateTruncating(label) >= first ? none : label;
            }
        }
    }

    // The average of all windows and views -> [C, height, width] at the picture's size: the largest of every class's names.
    private float[] ClassScores(PictureViews views, RgbImage picture)
    {
        int pixels = picture.Width * picture.Height, classes = ClassCount;
        int[] owners = Owners;
        var result = new float[(long)classes * pixels];
        Array.Fill(result, float.NegativeInfinity);
        double[]? sums = _scale > 0 ? new double[pixels] : null;
        foreach (var (first, count) in Passes(views, picture, averaged: true))
        {
            using Tensor averages = AtPictureSize(views, first, count, picture.Height, picture.Width);
            float[] values = averages.ToArray();
            for (int n = 0; n < count; n++)
            {
                Span<float> target = result.AsSpan(owners[first + n] * pixels, pixels);
                for (int i = 0; i < pixels; i++)
                {
                    // Logits times a scale of 50 to 100 and at most 1: their exponentials fit into a double.
                    float value = values[(n * pixels) + i];
                    if (sums is not null)
                    {
                        sums[i] += Math.Exp(_scale * (double)value);
                    }

                    target[i] = Math.Max(target[i], value);
                }
            }
        }

        for (long i = 0; sums is not null && i < result.LongLength; i++)
        {
            result[i] = (float)(Math.Exp(_scale * (double)result[i]) / sums[i % pixels]);
        }

        return result;
    }

    private IEnumerable<(int First, int Count)> Passes(PictureViews views, RgbImage picture, bool averaged = false, bool onCanvas = false) =>
        NamePasses.Of(NameCount, NamesAtOnce(views, picture, averaged, onCanvas));

    // How many names at a time: a canvas is as large as a view for each of them, and what several views are averaged in as large as the picture. The
    // CPU decides one view's windows without a canvas.
    private int NamesAtOnce(PictureViews views, RgbImage picture, bool averaged = false, bool onCanvas = false)
    {
        averaged |= !views.Single;
        long most = averaged || onCanvas || _device is not CpuDevice ? MaxCanvas / views.LargestCanvas : NamePasses.Max;
        most = averaged ? Math.Min(most, MaxAveraged / ((long)picture.Width * picture.Height)) : most;
        return (int)Math.Clamp(most, 1, NamePasses.Max);
    }

    // What labels are found from: one view's sums at its own size; several views' averages, at the picture's size, and how many they are.
    private (Tensor Canvas, Tensor Counts, int Height, int Width) Average(PictureViews views, int first, int count, int height, int width)
    {
        if (views.Single)
        {
            WindowSet windows = views[0].Windows;
            var (canvas, counts) = Accumulate(windows, first, count);
            return (canvas, counts, windows.Height, windows.Width);
        }

        Tensor averages = AtPictureSize(views, first, count, height, width);
        Tensor ones = _device.Zeros(new Shape(height, width));
        KernelSet.For(_device).Elementwise.Fill(ones, 1, ones.Count);
        return (averages, ones, height, width);
    }

    // The mean over the views, each resized to the picture and mirrored back.
    private Tensor AtPictureSize(PictureViews views, int first, int count, int height, int width)
    {
        var kernels = KernelSet.For(_device);
        Tensor sum = _device.Zeros(new Shape(count, height, width));
        using Tensor resized = _device.Empty(sum.Shape);
        for (int i = 0; i < views.Count; i++)
        {
            var (windows, flipped) = views[i];
            using var tape = new Tape(_device, recording: false);
            var (canvas, counts) = Accumulate(windows, first, count);
            Variable view = tape.Constant(Cut(canvas, count, windows.Height, windows.Width)) / tape.Constant(
                Cut(counts, 1, windows.Height, windows.Width));
            canvas.Dispose();
            counts.Dispose();
            if (flipped)
            {
                view = tape.IndexSelect(view, 2, [.. Enumerable.Range(0, windows.Width).Reverse()]);
            }

            kernels.Resample.Bilinear(view.Value, resized, count, windows.Height, windows.Width, height, width);
            kernels.Elementwise.Scale(resized, 1f / views.Count, sum, true, sum.Count);
        }

        return sum;
    }
}
