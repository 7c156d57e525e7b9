using System.Numerics;
using System.Runtime.InteropServices;
using Ldvc.Kernels.Labels;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Segmentation.Cpu;

/// <summary>
/// CPU version of the inference steps. Owns one buffer, the reciprocals of the window counts, that grows to the largest canvas seen.
/// </summary>
internal sealed unsafe class CpuSegmentation(CpuThreads threads) : ISegmentationKernels, IDisposable
{
    private readonly Lock _lock = new();
    private float* _reciprocals;
    private long _capacity;

    /// <summary>Frees the buffer if nobody disposed of it.</summary>
    ~CpuSegmentation() => NativeMemory.AlignedFree(_reciprocals);

    public void AddWindow(
        View z,
        View penalty,
        View canvas,
        View counts,
        int classes,
        int height,
        int width,
        int windowHeight,
        int windowWidth,
        int canvasHeight,
        int canvasWidth,
        int top,
        int left,
        WindowScore score = WindowScore.Sigmoid)
    {
        SegmentationGuard.Window(windowHeight, windowWidth, canvasHeight, canvasWidth, top, left);
        var a = new WindowArguments
        {
            Z = z.Floats,
            Penalty = penalty.Floats,
            Canvas = canvas.Floats,
            Height = height,
            Width = width,
            WindowHeight = windowHeight,
            WindowWidth = windowWidth,
            CanvasHeight = canvasHeight,
            CanvasWidth = canvasWidth,
            Top = top,
            Left = left,
            Plain = score == WindowScore.Plain,
            Bands = Tiling.Count(windowHeight, windowWidth),
        };
        SimdDispatch.For<AddBand, WindowArguments>(threads, classes * a.Bands, &a);

        for (int row = top; row < top + windowHeight; row++)
        {
            float* count = counts.Floats + ((long)row * canvasWidth) + left;
            for (int i = 0; i < windowWidth; i++)
            {
                count[i] += 1;
            }
        }
    }

    public void Argmax(
        View canvas,
        View counts,
        View labels,
        View best,
        int classes,
        int canvasHeight,
        int canvasWidth,
        int outputHeight,
        int outputWidth,
        SoftmaxSums softmax = default)
    {
        // One caller at a time: the buffer is shared.
        lock (_lock)
        {
            var a = new ArgmaxArguments
            {
                Planes = canvas.Floats,
                Factors = counts.IsNone ? null : Reciprocals(counts.Floats, (long)canvasHeight * canvasWidth),
                Labels = labels.Bytes,
                Best = best.Floats,
                Sums = softmax.Sums.IsNone ? null : softmax.Sums.Floats,
                Scale = softmax.Scale,
                Marker = -1,
                Classes = classes,
                Height = canvasHeight,
                Width = canvasWidth,
                OutputHeight = outputHeight,
                OutputWidth = outputWidth,
            };
            RunArgmax<byte>(&a, 1);
        }
    }

    public bool ArgmaxWindows(
        IReadOnlyList<WindowLogits> windows,
        View penalty,
        View labels,
        View best,
        int classes,
        int height,
        int width,
        int windowHeight,
        int windowWidth,
        int canvasHeight,
        int canvasWidth, int outputHeight, int outputWidth, WindowScore score = WindowScore.Sigmoid, SoftmaxSums softmax = default)
    {
        if (windows.Count > SegmentationPlan.MaxWindows)
        {
            return false;
        }

        WindowPlace* places = stackalloc WindowPlace[windows.Count];
        for (int i = 0; i < windows.Count; i++)
        {
            places[i] = new WindowPlace { Z = windows[i].Z.Floats, Top = windows[i].Top, Left = windows[i].Left };
        }

        var a = new WindowArgmaxArguments
        {
            Windows = places,
            Count = windows.Count,
            Penalty = penalty.Floats,
            Labels = labels.Bytes,
            Best = best.Floats,
            Plain = score == WindowScore.Plain,
            Sums = softmax.Sums.IsNone ? null : softmax.Sums.Floats,
            Scale = softmax.Scale,
            Classes = classes,
            Height = height,
            Width = width,
            WindowHeight = windowHeight,
            WindowWidth = windowWidth,
            CanvasHeight = canvasHeight,
            CanvasWidth = canvasWidth,
            OutputHeight = outputHeight,
            OutputWidth = outputWidth,
        };
        if (!a.Plan())
        {
            return false;
        }

        SimdDispatch.For<WindowArgmaxBand, WindowArgmaxArguments>(threads, a.Bands, &a);

        return true;
    }

    public void ApplyBackground(View labels, View best, float threshold, long count)
    {
        byte* label = labels.Bytes;
        float* score = best.Floats;
        for (long i = 0; i < count; i++)
        {
            label[i] = score[i] < threshold ? (byte)LabelWidth.MaxInBytes : label[i];
        }
    }

    public void Confusion(View truth, View prediction, Span<long> confusion, int classes, long count)
    {
        SegmentationGuard.Counters(confusion, classes);
        byte* truths = truth.Bytes;
        byte* predictions = prediction.Bytes;
        for (long i = 0; i < count; i++)
        {
            if (truths[i] < classes)
            {
                confusion[(truths[i] * (classes + 1)) + Math.Min(predictions[i], classes)]++;
            }
        }
    }

    public void PseudoLabels(
        View z, View labels, View unseen, int marker, int batch, int classes, int height, int width, int imageHeight, int imageWidth)
    {
        if (!new ReadOnlySpan<byte>(unseen.Bytes, classes).ContainsAnyExcept((byte)0))
        {
            return;
        }

        var a = new ArgmaxArguments
        {
            Planes = z.Floats,
            Allowed = unseen.Bytes,
            Labels = LabelWidth.IsWide(labels) ? labels.Ints : labels.Bytes,
            Marker = marker,
            Classes = classes,
            Height = height,
            Width = width,
            OutputHeight = imageHeight,
            OutputWidth = imageWidth,
        };
        if (LabelWidth.IsWide(labels))
        {
            RunArgmax<int>(&a, batch);
        }
        else
        {
            RunArgmax<byte>(&a, batch);
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_reciprocals);
        _reciprocals = null;
        _capacity = 0;
        GC.SuppressFinalize(this);
    }

    private void RunArgmax<TLabel>(ArgmaxArguments* a, int images)
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        a->Bands = (a->OutputHeight + SegmentationPlan.BandRows - 1) / SegmentationPlan.BandRows;
        SimdDispatch.For<ArgmaxBand<TLabel>, ArgmaxArguments>(threads, images * a->Bands, a);
    }

    // Pixels that no window covered keep a score of zero.
    private float* Reciprocals(float* counts, long pixels)
    {
        if (pixels > _capacity)
        {
            NativeMemory.AlignedFree(_reciprocals);
            _reciprocals = null;
            _capacity = 0;
            _reciprocals = (float*)CpuMemory.AllocateScratch(checked(pixels * sizeof(float)), "a picture's window counts");
            _capacity = pixels;
        }

        for (long i = 0; i < pixels; i++)
        {
            _reciprocals[i] = counts[i] > 0 ? 1 / counts[i] : 0;
        }

        return _reciprocals;
    }

    private readonly struct AddBand : ITileKernel<WindowArguments>
    {
        public static void Tile<S, V>(WindowArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuWindow<S, V>.Add(a, tile, worker);
    }

    private readonly struct WindowArgmaxBand : ITileKernel<WindowArgmaxArguments>
    {
        public static void Tile<S, V>(WindowArgmaxArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuWindowArgmax<S, V>.Run(a, tile, worker);
    }

    private readonly struct ArgmaxBand<TLabel> : ITileKernel<ArgmaxArguments>
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        public static void Tile<S, V>(ArgmaxArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct =>
            CpuArgmaxBlocks<S, V>.Run<TLabel>(a, tile, worker);
    }
}
