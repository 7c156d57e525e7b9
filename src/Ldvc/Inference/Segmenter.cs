using Ldvc.Autograd;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Kernels.Segmentation;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Inference;

/// <summary>
/// Sliding-window inference (method.md 9): probabilities of overlapping windows are averaged, resized to the picture, and the best class wins. The
/// class embeddings are computed once, when the segmenter is made. Where the device can, the best class is found from the windows' logits at once,
/// and the probabilities of all classes at the picture's size are never stored.
/// </summary>
public sealed partial class Segmenter : IDisposable
{
    private readonly IMaskModel _model;
    private readonly Device _device;
    private readonly EvalConfig _eval;
    private readonly Imaging.ImageStatistics _statistics;
    private readonly Tensor _classes;
    private readonly Tensor _penalty;
    private readonly int _patch;
    private readonly ClassList? _list;
    private readonly float _scale;
    private readonly int _ignored;
    private IDisposable? _owned;

    /// <summary>Takes ownership of the class embeddings.</summary>
    /// <param name="model">The model.</param>
    /// <param name="classEmbeddings">t [C, E], one of every name and synonym.</param>
    /// <param name="penalty">Subtracted from each name's probability [C]: 0.1 for seen classes after inductive training.</param>
    /// <param name="eval">Section eval: how pictures are cut up and put together again.</param>
    /// <param name="statistics">Mean and standard deviation that pictures are normalised with.</param>
    /// <param name="classes">The classes whose names these are; null = every embedding is a class of its own.</param>
    /// <param name="scale">What logits are multiplied by before a softmax over all names; 0 = each name's probability is its logit's sigmoid.</param>
    /// <param name="ignored">So many classes at the end of the list are computed and then count as no label.</param>
    internal Segmenter(
        IMaskModel model,
        Tensor classEmbeddings,
        ReadOnlySpan<float> penalty,
        EvalConfig eval,
        Imaging.ImageStatistics statistics,
        ClassList? classes = null,
        float scale = 0,
        int ignored = 0)
    {
        (_list, _scale, _ignored) = (classes, scale, ignored);
        _patch = model.Clip.Config.PatchSize;
        CheckWindows(eval, _patch);
        (_model, _eval, _statistics, _classes) = (model, eval, statistics, classEmbeddings);
        _device = classEmbeddings.Device;
        _penalty = _device.FromHost(penalty, new Shape(penalty.Length));
    }

    /// <summary>Refuses windows that cannot be cut into patches, and strides that leave gaps.</summary>
    /// <param name="eval">Section eval.</param>
    /// <param name="patch">The CLIP's patch.</param>
    /// <param name="where">What the message begins with: the file that says so.</param>
    /// <exception cref="InputException">They are such.</exception>
    internal static void CheckWindows(EvalConfig eval, int patch, string where = "")
    {
        if (eval.Window % patch != 0 || eval.Stride > eval.Window)
        {
            throw new InputException($"{where}eval.window is {eval.Window} and eval.stride {eval.Stride}; expected a multiple of the patch "
                + $"({patch}), and a stride of at most the window");
        }
    }

    /// <summary>Loads a trained model and makes it ready to find class names, seen in training or not.</summary>
    /// <param name="checkpoint">A checkpoint that `ldvc train` wrote.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="classes">Class names, each with synonyms behind semicolons if there are any ("person; man"); their order gives the indices, from
    /// 0.</param>
    /// <param name="clip">Folder or file of the CLIP that the checkpoint was trained on; null = where it lay then.</param>
    /// <exception cref="InputException">A file is missing, damaged or of another kind, or the CLIP is another one.</exception>
    public static Segmenter Load(string checkpoint, Device device, IReadOnlyList<string> classes, string? clip = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(classes);
        var list = new ClassList(classes, nameof(classes));
        using var file = LdvcCheckpoint.Open(checkpoint);
        var loaded = file.LoadModel(device, clip);
        try
        {
            var segmenter = FreeVocabulary.CreateSegmenter(file, loaded, list);
            segmenter._owned = loaded;
            return segmenter;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Makes a CLIP ready to find class names without any training (docs/training-free.md).</summary>
    /// <param name="clip">Folder or file of the CLIP.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="classes">As for <see cref="Load"/>.</param>
    /// <param name="config">How patches and names are compared; null = as published.</param>
    /// <exception cref="InputException">A file is missing, damaged or of another kind, or a name is too long.</exception>
    public static Segmenter FromClip(string clip, Device device, IReadOnlyList<string> classes, TrainingFreeConfig? config = null)
    {
        ArgumentNullException.ThrowIfNull(clip);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(classes);
        var list = new ClassList(classes, nameof(classes));
        config ??= new TrainingFreeConfig();
        ConfigCheck.TrainingFree(config);
        var model = TrainingFreeModel.Load(clip, device, config);
        try
        {
            var segmenter = FreeVocabulary.CreateSegmenter(model, config, new EvalConfig(), list);
            segmenter._owned = model;
            return segmenter;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Labels every pixel of a picture.</summary>
    /// <param name="picture">The picture, of any size.</param>
    /// <param name="name">What it is called; <see cref="SegmentResult.Write"/> names its files after it.</param>
    /// <param name="background">Pixels whose best probability lies below this get no class; null = every pixel gets one.</param>
    /// <exception cref="InputException">The picture is too large once it is resized.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not from 0 to 1.</exception>
    public SegmentResult Label(RgbImage picture, string name = "picture", double? background = null)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(_classes.IsDisposed, this);
        if (background is { } threshold && !(threshold >= 0 && threshold <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(background), $"label: expected a threshold from 0 to 1, got {threshold}");
        }

        using PictureViews views = RunViews([picture], null)[0];
        return Label(views, picture, name, background);
    }

    /// <summary>
    /// Labels every pixel with a class index; below the threshold, if there is one, with none. Also gives the winning score per pixel. Of more than
    /// 255 classes the map has 16 bits.
    /// </summary>
    internal (LabelMap Labels, float[] Scores) Segment(RgbImage picture, double? background = null)
    {
        using PictureViews views = RunViews([picture], null)[0];
        return Segment(views, picture, background);
    }

    private (LabelMap Labels, float[] Scores) Segment(PictureViews views, RgbImage picture, double? background)
    {
        if (NameCount > NamesAtOnce(views, picture) || _scale > 0 || !views.Single)
        {
            NameWinners winners = FindWinners(views, picture, background);
            return (winners.ToLabels(Owners, ClassCount), winners.Scores);
        }

        using var labels = _device.Empty(new Shape(picture.Height, picture.Width), DType.UInt8);
        using var best = _device.Empty(new Shape(picture.Height, picture.Width));
        Find(views, 0, NameCount, labels, best);
        if (background is { } threshold)
        {
            KernelSet.For(_device).Segmentation.ApplyBackground(labels, best, (float)threshold, best.Count);
        }

        return (ToLabels(labels), best.ToArray());
    }

    /// <summary>
    /// Labels under several penalties from one pass over the windows: a penalty is subtracted from every window alike, so it can as well be
    /// subtracted from their sum.
    /// </summary>
    /// <param name="picture">The picture.</param>
    /// <param name="penalties">Of every class [C].</param>
    /// <param name="background">As for <see cref="Segment(RgbImage, double?)"/>.</param>
    internal LabelMap[] SegmentWithPenalties(RgbImage picture, IReadOnlyList<float[]> penalties, double? background = null)
    {
        using PictureViews views = RunViews([picture], null)[0];
        using var map = _device.Empty(new Shape(picture.Height, picture.Width), DType.UInt8);
        using var best = _device.Empty(new Shape(picture.Height, picture.Width));
        using var sums = Sums(picture);
        NameWinners[] winners = [.. penalties.Select(_ => new NameWinners(picture.Width, picture.Height, _scale))];
        int[] owners = Owners;
        foreach (var (first, count) in Passes(views, picture, onCanvas: true))
        {
            var (canvas, counts, height, width) = Average(views, first, count, picture.Height, picture.Width);
            using (canvas)
            using (counts)
            {
                float[] applied = _penalty.ToArray()[first..(first + count)];
                long plane = counts.Count;
                for (int i = 0; i < winners.Length; i++)
                {
                    for (int c = 0; c < count; c++)
                    {
                        float wanted = penalties[i][owners[first + c]];
                        if (wanted != applied[c])
                        {
                            KernelSet.For(_device).Elementwise.Scale(counts, applied[c] - wanted, canvas.View.Shift(c * plane), true, plane);
                            applied[c] = wanted;
                        }
                    }

                    Decide(canvas, counts, height, width, map, best, sums);
                    winners[i].Merge(first, map.ToArray<byte>(), best.ToArray(), sums?.ToArray());
                }
            }
        }

        return [.. winners.Select(w => w.Above(background).ToLabels(owners, ClassCount))];
    }

    /// <summary>Pixels of a picture that one patch covers, once it is resized.</summary>
    internal double PatchArea(int width, int height)
    {
        var (resizedWidth, resizedHeight) = Resized(width, height);
        return (double)_patch * _patch * width * height / ((double)resizedWidth * resizedHeight);
    }

    /// <summary>
    /// Pixels that windows have to cover for a picture, in the view that is not scaled: the work grows with them, not with the picture.
    /// </summary>
    internal long ResizedPixels(int width, int height)
    {
        var (resizedWidth, resizedHeight) = Resized(width, height);
        return (long)resizedWidth * resizedHeight;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _classes.Dispose();
        _penalty.Dispose();
        _owned?.Dispose();
    }

    private int NameCount => _classes.Shape[0];

    private int ClassCount => _list?.Count ?? NameCount;

    // The class of every name.
    private int[] Owners => _list?.Owners ?? [.. Enumerable.Range(0, NameCount)];

    // Names by names, as many at a time as a byte counts: what is stored does not grow with their number.
    private NameWinners FindWinners(PictureViews views, RgbImage picture, double? background)
    {
        using var labels = _device.Empty(new Shape(picture.Height, picture.Width), DType.UInt8);
        using var best = _device.Empty(new Shape(picture.Height, picture.Width));
        using var sums = Sums(picture);
        var winners = new NameWinners(picture.Width, picture.Height, _scale);
        foreach (var (first, count) in Passes(views, picture))
        {
            Find(views, first, count, labels, best, sums);
            winners.Merge(first, labels.ToArray<byte>(), best.ToArray(), sums?.ToArray());
        }

        return winners.Above(background);
    }

    // The best of some of the names for every pixel, counted from the first of them, and its score.
    private void Find(PictureViews views, int first, int count, Tensor labels, Tensor best, Tensor? sums = null)
    {
        WindowSet windows = views[0].Windows;
        var z = windows.Logits[0];
        bool decided = views.Single && KernelSet.For(_device).Segmentation.ArgmaxWindows(
            windows.Views(first),
            _penalty.View.Shift(first),
            labels,
            best,
            count,
            z.Shape[2],
            z.Shape[3],
            windows.Window.Height,
            windows.Window.Width,
            windows.Height,
            windows.Width, labels.Shape[0], labels.Shape[1], Score, Softmax(sums));
        if (!decided)
        {
            var (canvas, counts, height, width) = Average(views, first, count, labels.Shape[0], labels.Shape[1]);
            using (canvas)
            using (counts)
            {
                Decide(canvas, counts, height, width, labels, best, sums);
            }
        }
    }

    // A window's part of the average: with a softmax the logits themselves, which is then over the averages.
    private WindowScore Score => _scale > 0 ? WindowScore.Plain : WindowScore.Sigmoid;

    private Tensor? Sums(RgbImage picture) => _scale > 0 ? _device.Empty(new Shape(picture.Height, picture.Width)) : null;

    private SoftmaxSums Softmax(Tensor? sums) => sums is null ? default : new SoftmaxSums(sums, _scale);

    // The sum of all windows' scores [C, H', W'] of some of the names and how many windows lie over each pixel [H', W'], at the resized picture's
    // size (padded to the window).
    private (Tensor Canvas, Tensor Counts) Accumulate(WindowSet windows, int first, int count)
    {
        int height = windows.PaddedHeight, width = windows.PaddedWidth;
        var canvas = _device.Zeros(new Shape(count, height, width));
        var counts = _device.Zeros(new Shape(height, width));
        foreach (var (z, top, left) in windows.Views(first))
        {
            var logits = windows.Logits[0];
            KernelSet.For(_device).Segmentation.AddWindow(
                z,
                _penalty.View.Shift(first),
                canvas,
                counts,
                count,
                logits.Shape[2],
                logits.Shape[3],
                windows.Window.Height,
                windows.Window.Width,
                height,
                width,
                top,
                left,
                Score);
        }

        return (canvas, counts);
    }

    private void Decide(Tensor canvas, Tensor counts, int height, int width, Tensor labels, Tensor best, Tensor? sums)
    {
        int classes = canvas.Shape[0];
        using var cut = Cut(canvas, classes, height, width);
        using var cutCounts = Cut(counts, 1, height, width);
        KernelSet.For(canvas.Device).Segmentation.Argmax(
            cut, cutCounts, labels, best, classes, height, width, labels.Shape[0], labels.Shape[1], Softmax(sums));
    }

    // From names to classes, where a class has several.
    private LabelMap ToLabels(Tensor names)
    {
        byte[] labels = names.ToArray<byte>();
        if (_list is { } list && list.Texts.Length > list.Count)
        {
            for (int i = 0; i < labels.Length; i++)
            {
                labels[i] = labels[i] == LabelMap.Ignore ? LabelMap.Ignore : (byte)list.Owners[labels[i]];
            }
        }

        return new LabelMap(names.Shape[1], names.Shape[0], labels);
    }

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
            tokens.CopyBlocks(
                canvas.View.Shift((long)p * paddedHeight * paddedWidth),
                paddedWidth,
                cut.View.Shift((long)p * height * width),
                width,
                height,
                width,
                false);
        }

        return cut;
    }
}
