using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Cpu;

internal unsafe struct ColumnSumArguments
{
    public float* Dy;
    public float* Sums;
    public int Rows;
    public int Columns;
}

/// <summary>Sums of columns, a tile of them at a time, rows in order: deterministic, and every cache line is read once.</summary>
internal readonly unsafe struct CpuColumnSums : ITileKernel<ColumnSumArguments>
{
    private const int ColumnTile = ElementwisePlan.CpuColumns;

    public static void Tile<S, V>(ColumnSumArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        int start = tile * ColumnTile, count = Math.Min(ColumnTile, a->Columns - start), vectors = count - (count % S.Count);
        float* sums = stackalloc float[ColumnTile];
        double* totals = stackalloc double[ColumnTile];
        new Span<double>(totals, ColumnTile).Clear();
        for (long first = 0; first < a->Rows; first += Tiling.SumBlock)
        {
            new Span<float>(sums, ColumnTile).Clear();
            for (long row = first, end = Math.Min(a->Rows, first + Tiling.SumBlock); row < end; row++)
            {
                float* dy = a->Dy + (row * a->Columns) + start;
                for (int i = 0; i < vectors; i += S.Count)
                {
                    S.Store(sums + i, S.Add(S.Load(sums + i), S.Load(dy + i)));
                }

                for (int i = vectors; i < count; i++)
                {
                    sums[i] += dy[i];
                }
            }

            for (int i = 0; i < count; i++)
            {
                totals[i] += sums[i];
            }
        }

        for (int i = 0; i < count; i++)
        {
            a->Sums[start + i] += (float)totals[i];
        }
    }
}
