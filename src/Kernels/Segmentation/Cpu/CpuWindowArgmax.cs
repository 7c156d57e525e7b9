using System.Runtime.CompilerServices;
using Ldvc.Kernels.Resample.Cpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Segmentation.Cpu;

/// <summary>
/// Argmax over classes straight from the logits of windows. A tile is a band of output rows, taken in strips: per class, the part of the canvas that
/// the strip is interpolated from is summed in scratch memory that stays in the nearest caches, then compared with the best so far.
/// </summary>
internal static unsafe class CpuWindowArgmax<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int Strip = CpuBilinearBlocks.Strip;

    // Rows of a part are this far apart: vectors may be read beyond their end.
    private const int Stride = Strip + 32;
    private const int PartFloats = (SegmentationPlan.PartRows * Stride) + 32;

    [SkipLocalsInit]
    internal static void Run(WindowArgmaxArguments* a, int tile, int worker)
    {
        float* part = stackalloc float[PartFloats];
        float* shares = stackalloc float[PartFloats];
        float* best = stackalloc float[SegmentationPlan.BandRows * Strip];
        float* winner = stackalloc float[SegmentationPlan.BandRows * Strip];
        float* sums = stackalloc float[SegmentationPlan.BandRows * Strip];
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        float* overScratch = stackalloc float[SegmentationPlan.MaxWindowsOverPart * CpuBilinearBlocks.ScratchFloats];
        Over* over = stackalloc Over[SegmentationPlan.MaxWindowsOverPart];
        new Span<float>(part, PartFloats).Clear();
        new Span<float>(shares, PartFloats).Clear();

        int firstRow = tile * a->BandRows, rows = Math.Min(a->BandRows, a->OutputHeight - firstRow);
        var resize = new CpuBilinearBlocks(scratch, a->CanvasHeight, a->CanvasWidth, a->OutputHeight, a->OutputWidth);
        var (y0, y1) = Needed(new CpuBilinearAxis(a->CanvasHeight, a->OutputHeight), firstRow, rows);
        for (int start = 0; start < a->OutputWidth; start += a->StripColumns)
        {
            int columns = Math.Min(a->StripColumns, a->OutputWidth - start);
            var (x0, x1) = Needed(new CpuBilinearAxis(a->CanvasWidth, a->OutputWidth), start, columns);
            int count = Meet(a, y0, y1, x0, x1, over, overScratch);
            Share(over, count, y1 - y0, shares);
            resize.StartStrip(start);
            new Span<float>(best, SegmentationPlan.BandRows * Strip).Fill(float.NegativeInfinity);
            new Span<float>(winner, SegmentationPlan.BandRows * Strip).Clear();
            new Span<float>(sums, SegmentationPlan.BandRows * Strip).Clear();
            long origin = ((long)y0 * Stride) + x0;
            for (int plane = 0; plane < a->Classes; plane++)
            {
                new Span<float>(part, (y1 - y0) * Stride).Clear();
                for (int i = 0; i < count; i++)
                {
                    AddWindow(a, over + i, plane, part);
                }

                resize.StartPlane(part - origin, firstRow, firstRow + rows, 0, shares - origin, Stride);
                while (resize.NextRows())
                {
                    long offset = (long)(resize.Row - firstRow) * Strip;
                    for (int row = 0; row < resize.Rows; row++, offset += Strip)
                    {
                        if (a->Sums != null)
                        {
                            CpuArgmaxBlocks<S, V>.Sum(
                                resize.Lower, resize.Upper, resize.Weights[row], a->Scale, best + offset, sums + offset, columns);
                        }

                        CpuArgmaxBlocks<S, V>.Improve(
                            resize.Lower, resize.Upper, resize.Weights[row], plane, best + offset, winner + offset, columns);
                    }
                }
            }

            Write(a, firstRow, rows, start, columns, best, winner, sums);
        }
    }

    // The canvas rows (or columns) that output positions are interpolated from.
    private static (int First, int End) Needed(CpuBilinearAxis axis, int position, int count)
    {
        axis.At(position, out int first, out _, out _);
        axis.At(position + count - 1, out _, out int last, out _);
        return (first, last + 1);
    }

    // Finds the windows over a part of the canvas, in their order, and prepares walks over them.
    private static int Meet(WindowArgmaxArguments* a, int y0, int y1, int x0, int x1, Over* over, float* scratch)
    {
        int count = 0;
        for (int i = 0; i < a->Count; i++)
        {
            var place = a->Windows[i];
            int top = Math.Max(y0, place.Top), end = Math.Min(y1, place.Top + a->WindowHeight), left = Math.Max(x0, place.Left), right = Math.Min(
                x1, place.Left + a->WindowWidth);
            if (top < end && left < right)
            {
                var walk = new CpuBilinearBlocks(
                    scratch + (count * CpuBilinearBlocks.ScratchFloats), a->Height, a->Width, a->WindowHeight, a->WindowWidth);
                walk.StartStrip(left - place.Left);
                over[count++] = new Over
                {
                    Z = place.Z,
                    Walk = walk,
                    FirstRow = top - place.Top,
                    EndRow = end - place.Top,
                    Columns = right - left,
                    Target = ((top - y0) * Stride) + left - x0,
                };
            }
        }

        return count;
    }

    // One over the number of windows at each pixel; pixels that no window covers keep a score of zero.
    private static void Share(Over* over, int count, int rows, float* shares)
    {
        new Span<float>(shares, rows * Stride).Clear();
        for (int i = 0; i < count; i++)
        {
            for (int row = 0; row < over[i].EndRow - over[i].FirstRow; row++)
            {
                foreach (ref float share in new Span<float>(shares + over[i].Target + (row * Stride), over[i].Columns))
                {
                    share++;
                }
            }
        }

        foreach (ref float share in new Span<float>(shares, rows * Stride))
        {
            share = share > 0 ? 1 / share : 0;
        }
    }

    private static void AddWindow(WindowArgmaxArguments* a, Over* over, int plane, float* part)
    {
        float penalty = a->Penalty == null ? 0 : a->Penalty[plane];
        over->Walk.StartPlane(over->Z + ((long)plane * a->Height * a->Width), over->FirstRow, over->EndRow);
        float* target = part + over->Target;
        while (over->Walk.NextRows())
        {
            for (int row = 0; row < over->Walk.Rows; row++, target += Stride)
            {
                CpuWindow<S, V>.AddRow(over->Walk.Lower, over->Walk.Upper, over->Walk.Weights[row], penalty, a->Plain, target, over->Columns);
            }
        }
    }

    private static void Write(WindowArgmaxArguments* a, int firstRow, int rows, int start, int columns, float* best, float* winner, float* sums)
    {
        for (int row = 0; row < rows; row++, best += Strip, winner += Strip, sums += Strip)
        {
            long position = ((long)(firstRow + row) * a->OutputWidth) + start;
            for (int i = 0; i < columns; i++)
            {
                a->Labels[position + i] = (byte)winner[i];
            }

            if (a->Best != null)
            {
                new ReadOnlySpan<float>(best, columns).CopyTo(new Span<float>(a->Best + position, columns));
            }

            if (a->Sums != null)
            {
                new ReadOnlySpan<float>(sums, columns).CopyTo(new Span<float>(a->Sums + position, columns));
            }
        }
    }

    /// <summary>A window over the current part.</summary>
    private struct Over
    {
        public float* Z;
        public CpuBilinearBlocks Walk;
        public int FirstRow;
        public int EndRow;
        public int Columns;
        public int Target;
    }
}
