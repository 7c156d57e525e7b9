using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Normalization.Cpu;

internal unsafe struct LayerNormArguments
{
    public float* X;
    public float* Gamma;
    public float* Beta;
    public float* Y;
    public float* Mean;
    public float* Rstd;
    public float* Dy;
    public float* Dx;
    public float* Dgamma;
    public float* Dbeta;
    public bool Accumulate;
    public float Epsilon;
    public int Rows;
    public int Columns;
    public int Tiles;
}

/// <summary>Layer normalisation of a tile of rows. Mean first, then the variance around it: no cancellation. Parameters +=, dx = or +=.</summary>
internal static unsafe class CpuLayerNorm<S, V>
    where S : ISimd<V>
    where V : struct
{
    private const int ColumnTile = NormalizationPlan.CpuParameterColumns;

    internal static void Forward(LayerNormArguments* a, int tile, int worker)
    {
        int columns = a->Columns, vectors = columns - (columns % S.Count);
        for (long row = Tiling.Start(a->Rows, a->Tiles, tile), end = Tiling.Start(a->Rows, a->Tiles, tile + 1); row < end; row++)
        {
            float* x = a->X + (row * columns);
            float* y = a->Y + (row * columns);
            V sum = S.Zero;
            for (int i = 0; i < vectors; i += S.Count)
            {
                sum = S.Add(sum, S.Load(x + i));
            }

            float total = S.Sum(sum);
            for (int i = vectors; i < columns; i++)
            {
                total += x[i];
            }

            float mean = total / columns;
            V means = S.Set(mean), squares = S.Zero;
            for (int i = 0; i < vectors; i += S.Count)
            {
                V centred = S.Subtract(S.Load(x + i), means);
                squares = S.Fma(centred, centred, squares);
            }

            float variance = S.Sum(squares);
            for (int i = vectors; i < columns; i++)
            {
                variance += (x[i] - mean) * (x[i] - mean);
            }

            float rstd = 1f / MathF.Sqrt((variance / columns) + a->Epsilon);
            V rstds = S.Set(rstd);
            for (int i = 0; i < vectors; i += S.Count)
            {
                V normalized = S.Multiply(S.Subtract(S.Load(x + i), means), rstds);
                S.Store(y + i, S.Fma(normalized, S.Load(a->Gamma + i), S.Load(a->Beta + i)));
            }

            for (int i = vectors; i < columns; i++)
            {
                y[i] = ((x[i] - mean) * rstd * a->Gamma[i]) + a->Beta[i];
            }

            a->Mean[row] = mean;
            a->Rstd[row] = rstd;
        }
    }

    /// <summary>dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * gamma.</summary>
    internal static void Backward(LayerNormArguments* a, int tile, int worker)
    {
        int columns = a->Columns, vectors = columns - (columns % S.Count);
        for (long row = Tiling.Start(a->Rows, a->Tiles, tile), end = Tiling.Start(a->Rows, a->Tiles, tile + 1); row < end; row++)
        {
            float* x = a->X + (row * columns);
            float* dy = a->Dy + (row * columns);
            float* dx = a->Dx + (row * columns);
            float mean = a->Mean[row], rstd = a->Rstd[row];
            V means = S.Set(mean), rstds = S.Set(rstd), sumG = S.Zero, sumGx = S.Zero;
            for (int i = 0; i < vectors; i += S.Count)
            {
                V g = S.Multiply(S.Load(dy + i), S.Load(a->Gamma + i));
                sumG = S.Add(sumG, g);
                sumGx = S.Fma(g, S.Multiply(S.Subtract(S.Load(x + i), means), rstds), sumGx);
            }

            float meanG = S.Sum(sumG), meanGx = S.Sum(sumGx);
            for (int i = vectors; i < columns; i++)
            {
                float g = dy[i] * a->Gamma[i];
                meanG += g;
                meanGx += g * (x[i] - mean) * rstd;
            }

            meanG /= columns;
            meanGx /= columns;
            V meanGs = S.Set(meanG), meanGxs = S.Set(meanGx);
            for (int i = 0; i < vectors; i += S.Count)
            {
                V g = S.Multiply(S.Load(dy + i), S.Load(a->Gamma + i));
                V normalized = S.Multiply(S.Subtract(S.Load(x + i), means), rstds);
                V value = S.Multiply(rstds, S.Subtract(S.Subtract(g, meanGs), S.Multiply(normalized, meanGxs)));
                S.Store(dx + i, a->Accumulate ? S.Add(S.Load(dx + i), value) : value);
            }

            for (int i = vectors; i < columns; i++)
            {
                float value = rstd * ((dy[i] * a->Gamma[i]) - meanG - ((x[i] - mean) * rstd * meanGx));
                dx[i] = a->Accumulate ? dx[i] + value : value;
            }
        }
    }

    /// <summary>dgamma and dbeta of a tile of columns over all rows, in row order: deterministic, no atomics.</summary>
    internal static void ParameterGradients(LayerNormArguments* a, int tile, int worker)
    {
        int columns = a->Columns, start = tile * ColumnTile, count = Math.Min(ColumnTile, columns - start);
        float* gamma = stackalloc float[ColumnTile];
        float* beta = stackalloc float[ColumnTile];
        double* gammas = stackalloc double[ColumnTile];
        double* betas = stackalloc double[ColumnTile];
        new Span<double>(gammas, ColumnTile).Clear();
        new Span<double>(betas, ColumnTile).Clear();
        int vectors = count - (count % S.Count);
        for (long first = 0; first < a->Rows; first += Tiling.SumBlock)
        {
            new Span<float>(gamma, ColumnTile).Clear();
            new Span<float>(beta, ColumnTile).Clear();
            for (long row = first, end = Math.Min(a->Rows, first + Tiling.SumBlock); row < end; row++)
            {
                float* x = a->X + (row * columns) + start;
                float* dy = a->Dy + (row * columns) + start;
                float mean = a->Mean[row], rstd = a->Rstd[row];
                V means = S.Set(mean), rstds = S.Set(rstd);
                for (int i = 0; i < vectors; i += S.Count)
                {
                    V g = S.Load(dy + i);
                    S.Store(beta + i, S.Add(S.Load(beta + i), g));
                    S.Store(gamma + i, S.Fma(g, S.Multiply(S.Subtract(S.Load(x + i), means), rstds), S.Load(gamma + i)));
                }

                for (int i = vectors; i < count; i++)
                {
                    beta[i] += dy[i];
                    gamma[i] += dy[i] * (x[i] - mean) * rstd;
                }
            }

            for (int i = 0; i < count; i++)
            {
                gammas[i] += gamma[i];
                betas[i] += beta[i];
            }
        }

        for (int i = 0; i < count; i++)
        {
            if (a->Dgamma != null)
            {
                a->Dgamma[start + i] += (float)gammas[i];
            }

            if (a->Dbeta != null)
            {
                a->Dbeta[start + i] += (float)betas[i];
            }
        }
    }
}
