using System.Runtime.InteropServices;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Reduction.Cpu;

internal unsafe struct ReductionArguments
{
    public float* X;
    public double* Partial;
    public long Count;
    public int Tiles;
}

/// <summary>CPU reductions: one partial result a tile, combined in tile order, so the thread count does not matter.</summary>
internal sealed unsafe class CpuReduction(CpuThreads threads) : IReductionKernels
{
    private const int MaxTiles = ReductionPlan.CpuMaxTiles;

    public void SumAxis(View x, View y, float factor, bool accumulate, int outer, int length, int inner)
    {
        double* partial = stackalloc double[MaxTiles];
        var a = new AxisArguments
        {
            X = x.Floats,
            Y = y.Floats,
            Partial = partial,
            Factor = factor,
            Accumulate = accumulate,
            Outer = outer,
            Length = length,
            Inner = inner
        };
        if (inner == 1 && outer == 1)
        {
            a.Tiles = Math.Min(MaxTiles, Tiling.Count(length, 1));
            SimdDispatch.For<CpuPartSum, AxisArguments>(threads, a.Tiles, &a);
            double sum = 0;
            for (int i = 0; i < a.Tiles; i++)
            {
                sum += partial[i];
            }

            a.Y[0] = (accumulate ? a.Y[0] : 0) + (float)(factor * sum);
        }
        else if (inner == 1)
        {
            a.Tiles = Tiling.Count(outer, length);
            SimdDispatch.For<CpuRowSum, AxisArguments>(threads, a.Tiles, &a);
        }
        else
        {
            a.Tiles = Tiling.Count(a.ColumnTasks, (long)length * AxisArguments.ColumnTile);
            SimdDispatch.For<CpuColumnSum, AxisArguments>(threads, a.Tiles, &a);
        }
    }

    public void MaxAxis(View x, View y, int outer, int length, int inner)
    {
        var a = new AxisArguments { X = x.Floats, Y = y.Floats, Outer = outer, Length = length, Inner = inner };
        if (inner == 1)
        {
            a.Tiles = Tiling.Count(outer, length);
            SimdDispatch.For<CpuRowMax, AxisArguments>(threads, a.Tiles, &a);
        }
        else
        {
            a.Tiles = Tiling.Count(a.ColumnTasks, (long)length * AxisArguments.ColumnTile);
            SimdDispatch.For<CpuColumnMax, AxisArguments>(threads, a.Tiles, &a);
        }
    }

    public double Sum(View x, long count)
    {
        double* partial = stackalloc double[MaxTiles];
        int tiles = Run(x, count, partial, &SumTile);
        double sum = 0;
        for (int i = 0; i < tiles; i++)
        {
            sum += partial[i];
        }

        return sum;
    }

    public double SumOfSquares(View x, long count)
    {
        double* partial = stackalloc double[MaxTiles];
        int tiles = Run(x, count, partial, &SquareTile);
        double sum = 0;
        for (int i = 0; i < tiles; i++)
        {
            sum += partial[i];
        }

        return sum;
    }

    public float MaxAbs(View x, long count)
    {
        double* partial = stackalloc double[MaxTiles];
        int tiles = Run(x, count, partial, &MaxTile);
        double max = 0;
        for (int i = 0; i < tiles; i++)
        {
            max = double.IsNaN(partial[i]) ? double.NaN : Math.Max(max, partial[i]);
        }

        return (float)max;
    }

    public bool AllFinite(View x, long count)
    {
        double* partial = stackalloc double[MaxTiles];
        int tiles = Run(x, count, partial, &FiniteTile);
        for (int i = 0; i < tiles; i++)
        {
            if (partial[i] != 0)
            {
                return false;
            }
        }

        return true;
    }

    public void GradientScale(View x, long count, View scale)
    {
        int exponent = GradientScaling.Exponent(BitConverter.SingleToInt32Bits(MaxAbs(x, count)));
        scale.Floats[0] = BitConverter.Int32BitsToSingle(exponent << 23);
        scale.Floats[1] = BitConverter.Int32BitsToSingle(GradientScaling.Inverse(exponent) << 23);
    }

    public void FindNotFinite(IReadOnlyList<TensorPart> tensors, View found)
    {
        found.Ints[0] = 0;
        for (int i = 0; i < tensors.Count; i++)
        {
            if (!AllFinite(tensors[i].Data, tensors[i].Count))
            {
                found.Ints[0] = tensors.Count - i;
                return;
            }
        }
    }

    public void ClipFactor(IReadOnlyList<TensorPart> tensors, double bound, View result)
    {
        double sum = 0;
        for (int i = 0; i < tensors.Count; i++)
        {
            sum += SumOfSquares(tensors[i].Data, tensors[i].Count);
        }

        double norm = Math.Sqrt(sum);
        result.Floats[0] = norm > bound ? (float)(bound / (norm + ReductionLimits.ClipMargin)) : 1f;
        result.Floats[1] = (float)norm;
    }

    private static ReadOnlySpan<float> Part(ReductionArguments* a, int tile)
    {
        long start = Tiling.Start(a->Count, a->Tiles, tile), end = Tiling.Start(a->Count, a->Tiles, tile + 1);
        return new ReadOnlySpan<float>(a->X + start, checked((int)(end - start)));
    }

    private static void SumTile(ReductionArguments* a, int tile, int worker)
    {
        double sum = 0;
        foreach (float x in Part(a, tile))
        {
            sum += x;
        }

        a->Partial[tile] = sum;
    }

    private static void SquareTile(ReductionArguments* a, int tile, int worker)
    {
        double sum = 0;
        foreach (float x in Part(a, tile))
        {
            sum += (double)x * x;
        }

        a->Partial[tile] = sum;
    }

    private static void MaxTile(ReductionArguments* a, int tile, int worker)
    {
        float max = 0;
        foreach (float x in Part(a, tile))
        {
            // Math.Max propagates NaN.
            max = Math.Max(max, Math.Abs(x));
        }

        a->Partial[tile] = max;
    }

    // An exponent of all ones means infinity or NaN; adding one at the exponent's lowest bit then carries into the sign.
    private static void FiniteTile(ReductionArguments* a, int tile, int worker)
    {
        int bad = 0;
        foreach (int bits in MemoryMarshal.Cast<float, int>(Part(a, tile)))
        {
            bad |= (bits & 0x7F800000) + 0x00800000;
        }

        a->Partial[tile] = bad < 0 ? 1 : 0;
    }

    private int Run(View x, long count, double* partial, delegate*<ReductionArguments*, int, int, void> body)
    {
        var a = new ReductionArguments { X = x.Floats, Count = count, Partial = partial, Tiles = Math.Min(MaxTiles, Tiling.Count(count, 1)) };
        threads.For(a.Tiles, &a, body);
        return a.Tiles;
    }
}
