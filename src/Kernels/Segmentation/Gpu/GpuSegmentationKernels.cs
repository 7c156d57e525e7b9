using ILGPU;
using Ldvc.Kernels.Labels;
using Ldvc.Kernels.Labels.Gpu;
using Ldvc.Kernels.Resample.Gpu;

namespace Ldvc.Kernels.Segmentation.Gpu;

/// <summary>Arguments of adding a window to a canvas.</summary>
internal readonly struct GpuWindowArguments
{
    /// <summary>[C, Rows.Input, Columns.Input].</summary>
    internal ArrayView<float> Z { get; init; }

    internal ArrayView<float> Penalty { get; init; }

    internal ArrayView<float> Canvas { get; init; }

    internal ArrayView<float> Counts { get; init; }

    internal GpuBilinearAxis Rows { get; init; }

    internal GpuBilinearAxis Columns { get; init; }

    internal int Classes { get; init; }

    internal int HasPenalty { get; init; }

    internal int CanvasHeight { get; init; }

    internal int CanvasWidth { get; init; }

    /// <summary>Whether logits are added as they are, without the sigmoid.</summary>
    internal int Plain { get; init; }

    internal int Top { get; init; }

    internal int Left { get; init; }
}

/// <summary>Arguments of an argmax over resized planes.</summary>
internal readonly struct GpuArgmaxArguments
{
    /// <summary>[Images, Classes, Rows.Input, Columns.Input].</summary>
    internal ArrayView<float> Planes { get; init; }

    /// <summary>Windows that cover each pixel of a plane, if <see cref="HasCounts"/>.</summary>
    internal ArrayView<float> Counts { get; init; }

    /// <summary>Which classes take part, if <see cref="HasAllowed"/>.</summary>
    internal ArrayView<byte> Allowed { get; init; }

    /// <summary>As <see cref="IGpuLabels"/> reads them.</summary>
    internal ArrayView<byte> Labels { get; init; }

    internal ArrayView<float> Best { get; init; }

    /// <summary>Sums of the softmax, if <see cref="HasSums"/>.</summary>
    internal ArrayView<float> Sums { get; init; }

    internal GpuBilinearAxis Rows { get; init; }

    internal GpuBilinearAxis Columns { get; init; }

    internal int Images { get; init; }

    internal int Classes { get; init; }

    internal int HasCounts { get; init; }

    internal int HasAllowed { get; init; }

    internal int HasBest { get; init; }

    internal int HasSums { get; init; }

    /// <summary>What scores are multiplied by in the softmax.</summary>
    internal float Scale { get; init; }

    /// <summary>Only pixels of this label are written; -1 for all.</summary>
    internal int Marker { get; init; }
}

/// <summary>Arguments of the kernels over finished label maps.</summary>
internal readonly struct GpuLabelArguments
{
    internal ArrayView<byte> Truth { get; init; }

    internal ArrayView<byte> Labels { get; init; }

    internal ArrayView<float> Best { get; init; }

    internal ArrayView<int> Confusion { get; init; }

    /// <summary>Tables of counters one behind the other, before their sum.</summary>
    internal int Tables { get; init; }

    internal float Threshold { get; init; }

    internal int Classes { get; init; }

    internal int Count { get; init; }
}

/// <summary>Inference steps, a thread a pixel; resized planes are never stored.</summary>
internal static class GpuSegmentationKernels
{
    /// <summary>Shared memory of <see cref="CountPairs"/>.</summary>
    internal const int CountSharedBytes = 2 * StagedPixels;

    private const int StagedPixels = SegmentationPlan.GpuStagedPixels;

    internal static void AddWindow(GpuWindowArguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (index >= a.Classes * a.Rows.Output * a.Columns.Output)
        {
            return;
        }

        int line = index / a.Columns.Output, column = index - (line * a.Columns.Output);
        int plane = line / a.Rows.Output, row = line - (plane * a.Rows.Output);
        int first = GpuBilinear.First(a.Rows, row, out float down), left = GpuBilinear.First(a.Columns, column, out float across);
        int right = GpuBilinear.Second(a.Columns, left), start = plane * a.Rows.Input;
        float lower = GpuBilinear.Stretch(a.Z, (start + first) * a.Columns.Input, left, right, across);
        float upper = GpuBilinear.Stretch(a.Z, (start + GpuBilinear.Second(a.Rows, first)) * a.Columns.Input, left, right, across);
        float logit = lower + (down * (upper - lower));
        float score = a.Plain != 0 ? logit : 1f / (1f + MathF.Exp(-logit)), penalty = a.HasPenalty != 0 ? a.Penalty[plane] : 0f;
        int at = ((a.Top + row) * a.CanvasWidth) + a.Left + column;
        a.Canvas[(plane * a.CanvasHeight * a.CanvasWidth) + at] += score - penalty;
        if (plane == 0)
        {
            a.Counts[at] += 1f;
        }
    }

    internal static void Argmax<TLabels>(GpuArgmaxArguments a)
        where TLabels : struct, IGpuLabels
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (index >= a.Images * a.Rows.Output * a.Columns.Output || (a.Marker >= 0 && TLabels.At(a.Labels, index) != a.Marker))
        {
            return;
        }

        int line = index / a.Columns.Output, column = index - (line * a.Columns.Output);
        int image = line / a.Rows.Output, row = line - (image * a.Rows.Output);
        int first = GpuBilinear.First(a.Rows, row, out float down), left = GpuBilinear.First(a.Columns, column, out float across);
        int right = GpuBilinear.Second(a.Columns, left), size = a.Rows.Input * a.Columns.Input;
        int above = first * a.Columns.Input, below = GpuBilinear.Second(a.Rows, first) * a.Columns.Input;
        float f0 = Factor(a, above + left), f1 = Factor(a, above + right), f2 = Factor(a, below + left), f3 = Factor(a, below + right);
        float best = float.NegativeInfinity, sum = 0f;

        // Ties go to the lower class; where every score is NaN or minus infinity the first class that takes part wins. The winner starts as -1 of
        // this thread's own: ILGPU takes what is put together from constants and counters for the same in all threads, though they go different ways
        // to it, and would mark branches on it as uniform.
        int winner = -1 - (index >> 31), at = image * a.Classes * size;
        for (int plane = 0; plane < a.Classes; plane++, at += size)
        {
            if (a.HasAllowed == 0 || a.Allowed[plane] != 0)
            {
                float l = a.Planes[at + above + left] * f0, r = a.Planes[at + above + right] * f1;
                float lower = l + (across * (r - l));
                l = a.Planes[at + below + left] * f2;
                r = a.Planes[at + below + right] * f3;
                float score = lower + (down * (l + (across * (r - l)) - lower));
                bool better = score > best;
                if (a.HasSums != 0)
                {
                    float less = MathF.Exp(-a.Scale * MathF.Abs(score - best));
                    sum = better ? (sum * less) + 1f : sum + less;
                }

                winner = better || winner < 0 ? plane : winner;
                best = better ? score : best;
            }
        }

        if (winner >= 0)
        {
            TLabels.Set(a.Labels, index, winner);
        }

        if (a.HasBest != 0)
        {
            a.Best[index] = best;
        }

        if (a.HasSums != 0)
        {
            a.Sums[index] = sum;
        }
    }

    internal static void Background(GpuLabelArguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (index < a.Count && a.Best[index] < a.Threshold)
        {
            a.Labels[index] = LabelWidth.MaxInBytes;
        }
    }

    /// <summary>
    /// Counts pairs of labels without atomics: group g counts its share of the pixels into its own table, of which a thread owns the row of one true
    /// class. Pixels are staged in shared memory; runs of equal pairs, which label maps are made of, are added at once.
    /// </summary>
    internal static void CountPairs(GpuLabelArguments a)
    {
        var truths = SharedMemory.Allocate<byte>(StagedPixels);
        var predictions = SharedMemory.Allocate<byte>(StagedPixels);
        int each = (a.Count + Grid.DimX - 1) / Grid.DimX, begin = Grid.IdxX * each, end = begin + each < a.Count ? begin + each : a.Count;
        for (int first = 0; first < a.Classes; first += Group.DimX)
        {
            // A zero that depends on the thread, for ILGPU: see Argmax.
            int row = first + Group.IdxX, known = row >> 31;
            int table = ((Grid.IdxX * a.Classes) + row) * (a.Classes + 1), run = 0;
            for (int start = begin; start < end; start += StagedPixels)
            {
                int count = end - start < StagedPixels ? end - start : StagedPixels;
                for (int i = Group.IdxX; i < count; i += Group.DimX)
                {
                    truths[i] = a.Truth[start + i];
                    predictions[i] = a.Labels[start + i];
                }

                Group.Barrier();
                for (int i = 0; i < count; i++)
                {
                    // Threads beyond the last class own no row; no label of theirs passes.
                    if (truths[i] == row && row < a.Classes)
                    {
                        int label = predictions[i] < a.Classes ? predictions[i] : a.Classes;
                        if (label != known)
                        {
                            a.Confusion[table + known] += run;
                            known = label;
                            run = 0;
                        }

                        run++;
                    }
                }

                Group.Barrier();
            }

            if (row < a.Classes)
            {
                a.Confusion[table + known] += run;
            }
        }
    }

    /// <summary>Adds the tables of all groups into the first.</summary>
    internal static void SumPairs(GpuLabelArguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX, pairs = a.Classes * (a.Classes + 1);
        if (index < pairs)
        {
            int sum = 0;
            for (int table = 0; table < a.Tables; table++)
            {
                sum += a.Confusion[(table * pairs) + index];
            }

            a.Confusion[index] = sum;
        }
    }

    // Pixels that no window covered keep a score of zero.
    private static float Factor(GpuArgmaxArguments a, int pixel) => a.HasCounts == 0 ? 1f : a.Counts[pixel] > 0f ? 1f / a.Counts[pixel] : 0f;
}
