using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Reduction.Cpu;

/// <summary>
/// Largest values of rows. What the machine's maximum does with NaN depends on the machine, so a second accumulator watches for it.
/// </summary>
internal readonly unsafe struct CpuRowMax : ITileKernel<AxisArguments>
{
    public static void Tile<S, V>(AxisArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        for (long row = Tiling.Start(a->Outer, a->Tiles, tile), end = Tiling.Start(a->Outer, a->Tiles, tile + 1); row < end; row++)
        {
            float* x = a->X + (row * a->Length);
            V largest = S.Set(float.NegativeInfinity), probe = S.Zero;
            int i = 0;
            for (; i + S.Count <= a->Length; i += S.Count)
            {
                V value = S.Load(x + i);
                largest = S.Max(largest, value);
                probe = S.SelectEqual(value, value, probe, value);
            }

            // The probe stays zero or is NaN in some lane.
            float max = S.MaxLane(largest) + S.Sum(probe);
            for (; i < a->Length; i++)
            {
                max = MathF.Max(max, x[i]);
            }

            a->Y[row] = max;
        }
    }
}

/// <summary>Largest values of columns: rows in order, a cache line of a row at a time.</summary>
internal readonly unsafe struct CpuColumnMax : ITileKernel<AxisArguments>
{
    public static void Tile<S, V>(AxisArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        for (long task = Tiling.Start(a->ColumnTasks, a->Tiles, tile), end = Tiling.Start(a->ColumnTasks, a->Tiles, tile + 1); task < end; task++)
        {
            long outer = task / a->ColumnTiles;
            int start = (int)(task - (outer * a->ColumnTiles)) * AxisArguments.ColumnTile, count = Math.Min(
                AxisArguments.ColumnTile, a->Inner - start);
            float* x = a->X + (outer * a->Length * a->Inner) + start;
            float* y = a->Y + (outer * a->Inner) + start;
            new Span<float>(x, count).CopyTo(new Span<float>(y, count));
            for (int row = 1; row < a->Length; row++)
            {
                x += a->Inner;
                int i = 0;
                for (; i + S.Count <= count; i += S.Count)
                {
                    V before = S.Load(y + i), value = S.Load(x + i);
                    V larger = S.SelectGreater(before, value, before, value);

                    // A comparison with NaN is false, so a NaN in value is taken; one that was there before stays.
                    S.Store(y + i, S.SelectEqual(before, before, larger, before));
                }

                for (; i < count; i++)
                {
                    y[i] = MathF.Max(y[i], x[i]);
                }
            }
        }
    }
}
