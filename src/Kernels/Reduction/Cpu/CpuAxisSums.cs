using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Reduction.Cpu;

internal unsafe struct AxisArguments
{
    /// <summary>Columns that a task walks down together.</summary>
    public const int ColumnTile = ReductionPlan.CpuColumns;

    public float* X;
    public float* Y;
    public double* Partial;
    public float Factor;
    public bool Accumulate;
    public int Outer;
    public int Length;
    public int Inner;
    public int Tiles;

    /// <summary>Tiles of columns of one outer index.</summary>
    public readonly int ColumnTiles => (Inner + ColumnTile - 1) / ColumnTile;

    /// <summary>Tiles of columns of all outer indices.</summary>
    public readonly long ColumnTasks => (long)Outer * ColumnTiles;
}

/// <summary>A part of one long row: its sum goes to the tile's partial result.</summary>
internal readonly unsafe struct CpuPartSum : ITileKernel<AxisArguments>
{
    public static void Tile<S, V>(AxisArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        long start = Tiling.Start(a->Length, a->Tiles, tile), end = Tiling.Start(a->Length, a->Tiles, tile + 1);
        a->Partial[tile] = CpuRowSum.Of<S, V>(a->X + start, end - start);
    }
}

/// <summary>Sums of rows.</summary>
internal readonly unsafe struct CpuRowSum : ITileKernel<AxisArguments>
{
    private const int Block = ReductionPlan.CpuRowBlock;

    public static void Tile<S, V>(AxisArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        for (long row = Tiling.Start(a->Outer, a->Tiles, tile), end = Tiling.Start(a->Outer, a->Tiles, tile + 1); row < end; row++)
        {
            float sum = (float)(a->Factor * Of<S, V>(a->X + (row * a->Length), a->Length));
            a->Y[row] = a->Accumulate ? a->Y[row] + sum : sum;
        }
    }

    internal static double Of<S, V>(float* x, long count)
        where S : ISimd<V>
        where V : struct
    {
        double total = 0;
        long i = 0;
        while (count - i >= 4 * S.Count)
        {
            V sum0 = S.Zero, sum1 = S.Zero, sum2 = S.Zero, sum3 = S.Zero;
            long end = Math.Min(count - (4 * S.Count), i + Block - (4 * S.Count));
            for (; i <= end; i += 4 * S.Count)
            {
                sum0 = S.Add(sum0, S.Load(x + i));
                sum1 = S.Add(sum1, S.Load(x + i + S.Count));
                sum2 = S.Add(sum2, S.Load(x + i + (2 * S.Count)));
                sum3 = S.Add(sum3, S.Load(x + i + (3 * S.Count)));
            }

            total += S.Sum(S.Add(S.Add(sum0, sum1), S.Add(sum2, sum3)));
        }

        for (; i < count; i++)
        {
            total += x[i];
        }

        return total;
    }
}

/// <summary>Sums of columns: rows in order, a cache line of a row at a time, in blocks of rows whose sums are added in double precision.</summary>
internal readonly unsafe struct CpuColumnSum : ITileKernel<AxisArguments>
{
    private const int Block = ReductionPlan.CpuColumnBlock;

    public static void Tile<S, V>(AxisArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        float* sums = stackalloc float[AxisArguments.ColumnTile];
        double* totals = stackalloc double[AxisArguments.ColumnTile];
        for (long task = Tiling.Start(a->ColumnTasks, a->Tiles, tile), end = Tiling.Start(a->ColumnTasks, a->Tiles, tile + 1); task < end; task++)
        {
            long outer = task / a->ColumnTiles;
            int start = (int)(task - (outer * a->ColumnTiles)) * AxisArguments.ColumnTile, count = Math.Min(
                AxisArguments.ColumnTile, a->Inner - start);
            float* x = a->X + (outer * a->Length * a->Inner) + start;
            new Span<double>(totals, count).Clear();
            for (int row = 0; row < a->Length; row += Block)
            {
                new Span<float>(sums, count).Clear();
                for (int rows = Math.Min(Block, a->Length - row); rows > 0; rows--, x += a->Inner)
                {
                    Add<S, V>(sums, x, count);
                }

                for (int i = 0; i < count; i++)
                {
                    totals[i] += sums[i];
                }
            }

            float* y = a->Y + (outer * a->Inner) + start;
            for (int i = 0; i < count; i++)
            {
                float sum = (float)(a->Factor * totals[i]);
                y[i] = a->Accumulate ? y[i] + sum : sum;
            }
        }
    }

    private static void Add<S, V>(float* sums, float* x, int count)
        where S : ISimd<V>
        where V : struct
    {
        int i = 0;
        for (; i + S.Count <= count; i += S.Count)
        {
            S.Store(sums + i, S.Add(S.Load(sums + i), S.Load(x + i)));
        }

        for (; i < count; i++)
        {
            sums[i] += x[i];
        }
    }
}
