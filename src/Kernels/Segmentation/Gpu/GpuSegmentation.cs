using System.Runtime.InteropServices;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.Labels;
using Ldvc.Kernels.Labels.Gpu;
using Ldvc.Kernels.Resample.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Segmentation.Gpu;

/// <summary>GPU dispatch of the inference steps.</summary>
internal sealed class GpuSegmentation(GpuLauncher launcher) : ISegmentationKernels
{
    internal static readonly GpuKernel<GpuWindowArguments> Window = new(
        "segmentation.add_window", GpuSegmentationKernels.AddWindow, SegmentationPlan.GpuThreads)
    { AnyGroup = true };

    internal static readonly GpuKernel<GpuArgmaxArguments> Maximum = new(
        "segmentation.argmax", GpuSegmentationKernels.Argmax<ByteLabels>, SegmentationPlan.GpuThreads)
    { AnyGroup = true };

    internal static readonly GpuKernel<GpuArgmaxArguments> WideMaximum = new(
        "segmentation.wide_argmax", GpuSegmentationKernels.Argmax<WideLabels>, SegmentationPlan.GpuThreads)
    { AnyGroup = true };

    internal static readonly GpuKernel<GpuLabelArguments> Background =
        new("segmentation.background", GpuSegmentationKernels.Background, SegmentationPlan.GpuThreads) { AnyGroup = true };

    internal static readonly GpuKernel<GpuLabelArguments> CountPairs = new(
        "segmentation.count_pairs", GpuSegmentationKernels.CountPairs, SegmentationPlan.GpuThreads)
    {
        AnyGroup = true,
        SharedBytes = GpuSegmentationKernels.CountSharedBytes,
    };

    internal static readonly GpuKernel<GpuLabelArguments> SumPairs = new(
        "segmentation.sum_pairs", GpuSegmentationKernels.SumPairs, SegmentationPlan.GpuThreads)
    { AnyGroup = true };

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
        GpuSizes.Index((long)classes * canvasHeight * canvasWidth, Window);
        launcher.LaunchItems(Window, (long)classes * windowHeight * windowWidth, new GpuWindowArguments
        {
            Z = z.GpuFloats,
            Penalty = (penalty.IsNone ? z : penalty).GpuFloats,
            Canvas = canvas.GpuFloats,
            Counts = counts.GpuFloats,
            Rows = new GpuBilinearAxis(height, windowHeight),
            Columns = new GpuBilinearAxis(width, windowWidth),
            Classes = classes,
            HasPenalty = penalty.IsNone ? 0 : 1,
            CanvasHeight = canvasHeight,
            CanvasWidth = canvasWidth,
            Plain = score == WindowScore.Plain ? 1 : 0,
            Top = top,
            Left = left,
        });
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
        SoftmaxSums softmax = default) =>
        Run(Maximum, 1, classes, canvasHeight, canvasWidth, outputHeight, outputWidth, new GpuArgmaxArguments
        {
            Planes = canvas.GpuFloats,
            Counts = (counts.IsNone ? canvas : counts).GpuFloats,
            Allowed = labels.GpuBytes,
            Labels = labels.GpuBytes,
            Best = (best.IsNone ? canvas : best).GpuFloats,
            Sums = (softmax.Sums.IsNone ? canvas : softmax.Sums).GpuFloats,
            HasSums = softmax.Sums.IsNone ? 0 : 1,
            Scale = softmax.Scale,
            HasCounts = counts.IsNone ? 0 : 1,
            HasBest = best.IsNone ? 0 : 1,
            Marker = -1,
        });

    public void ApplyBackground(View labels, View best, float threshold, long count) => launcher.LaunchItems(Background, count, new GpuLabelArguments
    {
        Truth = labels.GpuBytes,
        Labels = labels.GpuBytes,
        Best = best.GpuFloats,
        Confusion = best.As(DType.Int32).GpuInts,
        Threshold = threshold,
        Count = GpuSizes.Index(count, Background),
    });

    public void Confusion(View truth, View prediction, Span<long> confusion, int classes, long count)
    {
        int pairs = SegmentationGuard.Counters(confusion, classes);
        int tableCount = SegmentationPlan.Tables(GpuSizes.Index(count, CountPairs));
        long bytes = (long)tableCount * pairs * sizeof(int);
        var tables = launcher.Workspace.Bytes(bytes);
        launcher.Device.Clear(tables.Storage, 0, bytes);
        var args = new GpuLabelArguments
        {
            Truth = truth.GpuBytes,
            Labels = prediction.GpuBytes,
            Best = tables.As(DType.Float32).GpuFloats,
            Confusion = tables.As(DType.Int32).GpuInts,
            Tables = tableCount,
            Classes = classes,
            Count = (int)count,
        };
        launcher.Launch(CountPairs, tableCount, args);
        launcher.LaunchItems(SumPairs, pairs, args);
        int[] counted = new int[pairs];
        launcher.Device.Download(tables.Storage, 0, MemoryMarshal.AsBytes(counted.AsSpan()));
        for (int i = 0; i < pairs; i++)
        {
            confusion[i] += counted[i];
        }
    }

    public void PseudoLabels(
        View z, View labels, View unseen, int marker, int batch, int classes, int height, int width, int imageHeight, int imageWidth) =>
        Run(LabelWidth.IsWide(labels) ? WideMaximum : Maximum, batch, classes, height, width, imageHeight, imageWidth, new GpuArgmaxArguments
        {
            Planes = z.GpuFloats,
            Counts = z.GpuFloats,
            Allowed = unseen.GpuBytes,
            Labels = labels.As(DType.UInt8).GpuBytes,
            Best = z.GpuFloats,
            Sums = z.GpuFloats,
            HasAllowed = 1,
            Marker = marker,
        });

    private void Run(
        GpuKernel<GpuArgmaxArguments> kernel,
        int images,
        int classes,
        int height,
        int width,
        int outputHeight,
        int outputWidth,
        in GpuArgmaxArguments args)
    {
        GpuSizes.Index((long)images * classes * height * width, kernel);
        launcher.LaunchItems(kernel, GpuSizes.Index((long)images * outputHeight * outputWidth, kernel), args with
        {
            Images = images,
            Classes = classes,
            Rows = new GpuBilinearAxis(height, outputHeight),
            Columns = new GpuBilinearAxis(width, outputWidth),
        });
    }
}
