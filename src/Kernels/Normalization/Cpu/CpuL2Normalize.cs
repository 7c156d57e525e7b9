using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Normalization.Cpu;

internal unsafe struct L2NormalizeArguments
{
    public float* X;
    public float* Y;
    public float* Inverse;
    public float* Dy;
    public float* Dx;
    public bool Accumulate;
    public int Rows;
    public int Columns;
    public int Tiles;
}

/// <summary>Rows scaled to unit length; the floor of 1e-12 on the length is PyTorch's.</summary>
internal static unsafe class CpuL2Normalize<S, V>
    where S : ISimd<V>
    where V : struct
{
    internal static void Forward(L2NormalizeArguments* a, int tile, int worker)
    {
        int columns = a->Columns, vectors = columns - (columns % S.Count);
        for (long row = Tiling.Start(a->Rows, a->Tiles, tile), end = Tiling.Start(a->Rows, a->Tiles, tile + 1); row < end; row++)
        {
            float* x = a->X + (row * columns);
            float* y = a->Y + (row * columns);
            float inverse = 1f / MathF.Max(MathF.Sqrt(Dot(x, x, columns)), NormalizationPlan.MinLength);
            V inverses = S.Set(inverse);
            for (int i = 0; i < vectors; i += S.Count)
            {
                S.Store(y + i, S.Multiply(S.Load(x + i), inverses));
            }

            for (int i = vectors; i < columns; i++)
            {
                y[i] = x[i] * inverse;
            }

            a->Inverse[row] = inverse;
        }
    }

    internal static void Backward(L2NormalizeArguments* a, int tile, int worker)
    {
        int columns = a->Columns, vectors = columns - (columns % S.Count);
        for (long row = Tiling.Start(a->Rows, a->Tiles, tile), end = Tiling.Start(a->Rows, a->Tiles, tile + 1); row < end; row++)
        {
            float* y = a->Y + (row * columns);
            float* dy = a->Dy + (row * columns);
            float* dx = a->Dx + (row * columns);
            float inverse = a->Inverse[row];

            // A row shorter than the floor was scaled by a constant: it has no direction to take out.
            float along = inverse < NormalizationPlan.FloorInverse ? Dot(y, dy, columns) : 0f;
            V inverses = S.Set(inverse), alongs = S.Set(-along);
            for (int i = 0; i < vectors; i += S.Count)
            {
                V value = S.Multiply(S.Fma(S.Load(y + i), alongs, S.Load(dy + i)), inverses);
                S.Store(dx + i, a->Accumulate ? S.Add(S.Load(dx + i), value) : value);
            }

            for (int i = vectors; i < columns; i++)
            {
                float value = (dy[i] - (y[i] * along)) * inverse;
                dx[i] = a->Accumulate ? dx[i] + value : value;
            }
        }
    }

    private static float Dot(float* a, float* b, int count)
    {
        int vectors = count - (count % S.Count);
        V sum = S.Zero;
        for (int i = 0; i < vectors; i += S.Count)
        {
            sum = S.Fma(S.Load(a + i), S.Load(b + i), sum);
        }

        float total = S.Sum(sum);
        for (int i = vectors; i < count; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }
}
