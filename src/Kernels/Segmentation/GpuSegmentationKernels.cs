using ILGPU;
using Ldvc.Kernels.Resample;

namespace Ldvc.Kernels.Segmentation;

/// <summary>Arguments of adding a window to a canvas.</summary>
internal struct GpuWindowArguments
{
    /// <summary>[C, Rows.Input, Columns.Input].</summary>
    public ArrayView<float> Z;
    public ArrayView<float> Penalty;
    public ArrayView<float> Canvas;
    public ArrayView<float> Counts;
    public GpuBilinearAxis Rows;
    public GpuBilinearAxis Columns;
    public int Classes;
    public int HasPenalty;
    public int CanvasHeight;
    public int CanvasWidth;
    public int Top;
    public int Left;
}

/// <summary>Arguments of an argmax over resized planes.</summary>
internal struct GpuArgmaxArguments
{
    /// <summary>[Images, Classes, Rows.Input, Columns.Input].</summary>
    public ArrayView<float> Planes;

    /// <summary>Windows that cover each pixel of a plane, if <see cref="HasCounts"/>.</summary>
    public ArrayView<float> Counts;

    /// <summary>Which classes take part, if <see cref="HasAllowed"/>.</summary>
    public ArrayView<byte> Allowed;
    public ArrayView<byte> Labels;
    public ArrayView<float> Best;
    public GpuBilinearAxis Rows;
    public GpuBilinearAxis Columns;
    public int Images;
    public int Classes;
    public int HasCounts;
    public int HasAllowed;
    public int HasBest;

    /// <summary>Only pixels of this label are written; -1 for all.</summary>
    public int Marker;
}

/// <summary>Arguments of the kernels over finished label maps.</summary>
internal struct GpuLabelArguments
{
    public ArrayView<byte> Truth;
    public ArrayView<byte> Labels;
    public ArrayView<float> Best;
    public ArrayView<int> Confusion;
    public float Threshold;
    public int Classes;
    public int Count;
}

/// <summary>Inference steps, a thread a pixel; resized planes are never stored.</summary>
internal static class GpuSegmentationKernels
{
    /// <summary>Threads of a group.</summary>
    internal const int Threads = 256;

    /// <summary>Neighbouring pixels of a thread when counting: runs of equal pairs are added at once.</summary>
    internal const int Run = 16;

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
        float score = 1f / (1f + MathF.Exp(-(lower + (down * (upper - lower))))), penalty = a.HasPenalty != 0 ? a.Penalty[plane] : 0f;
        int at = ((a.Top + row) * a.CanvasWidth) + a.Left + column;
        a.Canvas[(plane * a.CanvasHeight * a.CanvasWidth) + at] += score - penalty;
        if (plane == 0)
        {
            a.Counts[at] += 1f;
        }
    }

    internal static void Argmax(GpuArgmaxArguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (index >= a.Images * a.Rows.Output * a.Columns.Output || (a.Marker >= 0 && a.Labels[index] != a.Marker))
        {
            return;
        }

        int line = index / a.Columns.Output, column = index - (line * a.Columns.Output);
        int image = line / a.Rows.Output, row = line - (image * a.Rows.Output);
        int first = GpuBilinear.First(a.Rows, row, out float down), left = GpuBilinear.First(a.Columns, column, out float across);
        int right = GpuBilinear.Second(a.Columns, left), size = a.Rows.Input * a.Columns.Input;
        int above = first * a.Columns.Input, below = GpuBilinear.Second(a.Rows, first) * a.Columns.Input;
        float f0 = Factor(a, above + left), f1 = Factor(a, above + right), f2 = Factor(a, below + left), f3 = Factor(a, below + right);
        float best = float.NegativeInfinity;

        // Ties go to the lower class; where every score is NaN or minus infinity the first class that takes part wins.
        int winner = -1, at = image * a.Classes * size;
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
                winner = better || winner < 0 ? plane : winner;
                best = better ? score : best;
            }
        }

        if (winner >= 0)
        {
            a.Labels[index] = (byte)winner;
        }

        if (a.HasBest != 0)
        {
            a.Best[index] = best;
        }
    }

    internal static void Background(GpuLabelArguments a)
    {
        int index = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (index < a.Count && a.Best[index] < a.Threshold)
        {
            a.Labels[index] = 255;
        }
    }

    /// <summary>Counts pairs of labels with integer atomics, whose sums do not depend on the order.</summary>
    internal static void Confusion(GpuLabelArguments a)
    {
        int start = ((Grid.IdxX * Group.DimX) + Group.IdxX) * Run, end = start + Run < a.Count ? start + Run : a.Count, known = -1, count = 0;
        for (int i = start; i < end; i++)
        {
            int truth = a.Truth[i], label = a.Labels[i];
            int pair = truth < a.Classes ? (truth * (a.Classes + 1)) + (label < a.Classes ? label : a.Classes) : -1;
            if (pair != known)
            {
                if (known >= 0)
                {
                    Atomic.Add(ref a.Confusion[known], count);
                }

                known = pair;
                count = 0;
            }

            count++;
        }

        if (known >= 0)
        {
            Atomic.Add(ref a.Confusion[known], count);
        }
    }

    // Pixels that no window covered keep a score of zero.
    private static float Factor(GpuArgmaxArguments a, int pixel) => a.HasCounts == 0 ? 1f : a.Counts[pixel] > 0f ? 1f / a.Counts[pixel] : 0f;
}
