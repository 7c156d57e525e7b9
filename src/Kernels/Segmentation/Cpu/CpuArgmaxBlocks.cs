using System.Numerics;
using Ldvc.Kernels.Resample.Cpu;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Segmentation.Cpu;

internal unsafe struct ArgmaxArguments
{
    /// <summary>Planes [images, classes, height, width].</summary>
    public float* Planes;

    /// <summary>Factors [height, width] of every plane; may be null.</summary>
    public float* Factors;

    /// <summary>Classes that take part have a non-zero byte; null means all.</summary>
    public byte* Allowed;

    /// <summary>Labels [images, output height, output width], bytes or 32-bit integers.</summary>
    public void* Labels;

    /// <summary>Winning scores, like the labels; may be null.</summary>
    public float* Best;

    /// <summary>Sums of the softmax, like the labels; may be null.</summary>
    public float* Sums;

    /// <summary>What scores are multiplied by in the softmax.</summary>
    public float Scale;

    /// <summary>The label that is replaced, or -1: all are.</summary>
    public int Marker;
    public int Classes;
    public int Height;
    public int Width;
    public int OutputHeight;
    public int OutputWidth;
    public int Bands;
}

/// <summary>
/// Argmax over classes of planes that are resized on the way: per strip of columns and band of at most <see cref="SegmentationPlan.BandRows"/> rows,
/// the best score and its class so far stay in the first-level cache while the classes pass by. A tile is a band of one image.
/// </summary>
internal static unsafe class CpuArgmaxBlocks<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int BandRows = SegmentationPlan.BandRows;
    private const int Strip = CpuBilinearBlocks.Strip;

    internal static void Run<TLabel>(ArgmaxArguments* a, int tile, int worker)
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        int image = tile / a->Bands, firstRow = tile % a->Bands * BandRows, rows = Math.Min(BandRows, a->OutputHeight - firstRow);
        float* scratch = stackalloc float[CpuBilinearBlocks.ScratchFloats];
        float* best = stackalloc float[BandRows * Strip];
        float* winner = stackalloc float[BandRows * Strip];
        float* sums = stackalloc float[BandRows * Strip];
        var blocks = new CpuBilinearBlocks(scratch, a->Height, a->Width, a->OutputHeight, a->OutputWidth);
        for (int start = 0; start < a->OutputWidth; start += Strip)
        {
            int columns = Math.Min(Strip, a->OutputWidth - start);
            long position = ((((long)image * a->OutputHeight) + firstRow) * a->OutputWidth) + start;
            if (a->Marker >= 0 && !Marked((TLabel*)a->Labels + position, a->OutputWidth, rows, columns, TLabel.CreateTruncating(a->Marker)))
            {
                continue;
            }

            new Span<float>(best, BandRows * Strip).Fill(float.NegativeInfinity);
            new Span<float>(winner, BandRows * Strip).Fill(FirstAllowed(a));
            new Span<float>(sums, BandRows * Strip).Clear();
            blocks.StartStrip(start);
            for (int plane = 0; plane < a->Classes; plane++)
            {
                if (a->Allowed != null && a->Allowed[plane] == 0)
                {
                    continue;
                }

                blocks.StartPlane(
                    a->Planes + ((((long)image * a->Classes) + plane) * a->Height * a->Width), firstRow, firstRow + rows, 0, a->Factors);
                while (blocks.NextRows())
                {
                    long offset = (long)(blocks.Row - firstRow) * Strip;
                    for (int row = 0; row < blocks.Rows; row++, offset += Strip)
                    {
                        if (a->Sums != null)
                        {
                            Sum(blocks.Lower, blocks.Upper, blocks.Weights[row], a->Scale, best + offset, sums + offset, columns);
                        }

                        Improve(blocks.Lower, blocks.Upper, blocks.Weights[row], plane, best + offset, winner + offset, columns);
                    }
                }
            }

            for (int row = 0; row < rows; row++, position += a->OutputWidth)
            {
                Write<TLabel>(a, position, best + (row * Strip), winner + (row * Strip), columns);
                if (a->Sums != null)
                {
                    new ReadOnlySpan<float>(sums + (row * Strip), columns).CopyTo(new Span<float>(a->Sums + position, columns));
                }
            }
        }
    }

    /// <summary>Compares one class's row with the best so far. A later class must be strictly better: ties go to the lower class.</summary>
    internal static void Improve(float* lower, float* upper, float weight, int plane, float* best, float* winner, int columns)
    {
        V weights = S.Set(weight), planes = S.Set(plane);
        for (int i = 0; i < columns; i += S.Count)
        {
            V start = S.Load(lower + i), known = S.Load(best + i);
            V score = S.Fma(weights, S.Subtract(S.Load(upper + i), start), start);
            V gain = S.Subtract(score, known);
            S.Store(best + i, S.SelectPositive(gain, score, known));
            S.Store(winner + i, S.SelectPositive(gain, planes, S.Load(winner + i)));
        }
    }

    /// <summary>
    /// Adds exp(scale (score - best)) of one class's row to the softmax's sums, before <see cref="Improve"/> changes the best: where the new score is
    /// the better one, what has been added so far is scaled down instead.
    /// </summary>
    internal static void Sum(float* lower, float* upper, float weight, float scale, float* best, float* sums, int columns)
    {
        V weights = S.Set(weight), down = S.Set(-scale), one = S.Set(1f);
        for (int i = 0; i < columns; i += S.Count)
        {
            V start = S.Load(lower + i), known = S.Load(sums + i);
            V gain = S.Subtract(S.Fma(weights, S.Subtract(S.Load(upper + i), start), start), S.Load(best + i));
            V less = VectorMath<S, V>.Exp(S.Multiply(down, S.Abs(gain)));
            S.Store(sums + i, S.SelectPositive(gain, S.Fma(known, less, one), S.Add(known, less)));
        }
    }

    private static void Write<TLabel>(ArgmaxArguments* a, long position, float* best, float* winner, int columns)
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        TLabel* labels = (TLabel*)a->Labels + position;
        TLabel marker = TLabel.CreateTruncating(a->Marker);
        for (int i = 0; i < columns; i++)
        {
            if (a->Marker < 0 || labels[i] == marker)
            {
                labels[i] = TLabel.CreateTruncating((int)winner[i]);
            }
        }

        if (a->Best != null)
        {
            new ReadOnlySpan<float>(best, columns).CopyTo(new Span<float>(a->Best + position, columns));
        }
    }

    private static bool Marked<TLabel>(TLabel* labels, int stride, int rows, int columns, TLabel marker)
        where TLabel : unmanaged, IBinaryInteger<TLabel>
    {
        for (int row = 0; row < rows; row++)
        {
            if (new ReadOnlySpan<TLabel>(labels + ((long)row * stride), columns).Contains(marker))
            {
                return true;
            }
        }

        return false;
    }

    // What wins where every score is NaN or minus infinity.
    private static int FirstAllowed(ArgmaxArguments* a)
    {
        int plane = 0;
        while (a->Allowed != null && plane < a->Classes - 1 && a->Allowed[plane] == 0)
        {
            plane++;
        }

        return plane;
    }
}
