using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Attention;

/// <summary>Brings a tile's rows into the layouts that <see cref="CpuTileProduct{S, V}"/> reads, and back.</summary>
internal static unsafe class CpuTilePack<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>Addresses of rows, repeated at the end up to whole blocks of <see cref="CpuTileProduct{S, V}"/>.</summary>
    internal static void Addresses(CpuHeadRows source, int* rows, int count, float** addresses)
    {
        for (int i = 0; i < count; i++)
        {
            addresses[i] = source.Data + (rows[i] * source.Stride);
        }

        for (int i = count; i < CpuTileProduct<S, V>.PadRows(count); i++)
        {
            addresses[i] = addresses[count - 1];
        }
    }

    /// <summary>Addresses of count rows (or columns) of a scratch tile, up to whole blocks.</summary>
    internal static void Addresses(float* tile, int stride, int count, float** addresses)
    {
        for (int i = 0; i < CpuTileProduct<S, V>.PadRows(count); i++)
        {
            addresses[i] = tile + (i * stride);
        }
    }

    /// <summary>Panels along the components: [panel][row][2 vectors of components], zero beyond the last component.</summary>
    internal static void Panels(float** rows, int count, int columns, float* target)
    {
        int padded = CpuTileProduct<S, V>.PadColumns(columns);
        for (int column = 0; column < padded;)
        {
            int width = Math.Min(2 * S.Count, padded - column);
            for (int row = 0; row < count; row++)
            {
                float* source = rows[row] + column;
                if (column + width > columns)
                {
                    for (int i = 0; i < width; i++)
                    {
                        target[i] = column + i < columns ? source[i] : 0f;
                    }
                }
                else
                {
                    S.Store(target, S.Load(source));
                    if (width > S.Count)
                    {
                        S.Store(target + S.Count, S.Load(source + S.Count));
                    }
                }

                target += width;
            }

            column += width;
        }
    }

    /// <summary>Panels along the rows, transposed: [panel][component][2 vectors of rows] times a factor, zero beyond the last row.</summary>
    internal static void Transpose(float** rows, int count, int columns, float factor, float* target)
    {
        int padded = CpuTileProduct<S, V>.PadColumns(count);
        for (int row = 0; row < padded;)
        {
            int width = Math.Min(2 * S.Count, padded - row);
            for (int i = 0; i < width; i++)
            {
                float* to = target + i;
                if (row + i < count)
                {
                    float* source = rows[row + i];
                    for (int column = 0; column < columns; column++)
                    {
                        to[column * width] = source[column] * factor;
                    }
                }
                else
                {
                    for (int column = 0; column < columns; column++)
                    {
                        to[column * width] = 0f;
                    }
                }
            }

            target += (long)width * columns;
            row += width;
        }
    }

    /// <summary>Rows into a scratch tile of the given stride; nothing is written beyond the last component.</summary>
    internal static void Load(float** rows, int count, int columns, float* tile, int stride)
    {
        for (int row = 0; row < count; row++)
        {
            CopyRow(rows[row], tile + (row * stride), columns);
        }
    }

    /// <summary>A scratch tile back to its rows.</summary>
    internal static void Save(float* tile, int stride, int count, int columns, CpuHeadRows target, int* rows)
    {
        for (int row = 0; row < count; row++)
        {
            CopyRow(tile + (row * stride), target.Data + (rows[row] * target.Stride), columns);
        }
    }

    private static void CopyRow(float* from, float* to, int columns)
    {
        int i = 0;
        for (; i + S.Count <= columns; i += S.Count)
        {
            S.Store(to + i, S.Load(from + i));
        }

        for (; i < columns; i++)
        {
            to[i] = from[i];
        }
    }
}
