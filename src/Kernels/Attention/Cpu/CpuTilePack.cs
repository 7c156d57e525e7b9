using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Attention.Cpu;

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
        // Row by row: rows are far apart, often by a multiple of a large power of two, so that few of them fit into the first cache together.
        int padded = CpuTileProduct<S, V>.PadColumns(columns), pairs = columns - (columns % (2 * S.Count));
        nint panel = (nint)count * 2 * S.Count;
        int lastWidth = Math.Min(2 * S.Count, padded - pairs);
        for (int row = 0; row < count; row++)
        {
            float* source = rows[row];
            float* to = target + (row * 2 * S.Count);
            int column = 0;
            for (; column < pairs; column += 2 * S.Count)
            {
                S.Store(to, S.Load(source + column));
                S.Store(to + S.Count, S.Load(source + column + S.Count));
                to += panel;
            }

            if (column < columns)
            {
                to = target + (count * pairs) + (row * lastWidth);
                for (int i = 0; i < lastWidth; i++)
                {
                    to[i] = column + i < columns ? source[column + i] : 0f;
                }
            }
        }
    }

    /// <summary>Panels along the rows, transposed: [panel][component][2 vectors of rows] times a factor, zero beyond the last row.</summary>
    internal static void Transpose(float** rows, int count, int columns, float factor, float* target)
    {
        int padded = CpuTileProduct<S, V>.PadColumns(count);
        for (int row = 0; row < padded;)
        {
            int width = Math.Min(2 * S.Count, padded - row);
            for (int i = 0; i < width; i += 4)
            {
                TransposeFour(rows + row + i, count - row - i, columns, factor, target + i, width);
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

    // Four rows, of which the first "valid" ones exist, become four neighbours of each line of the target.
    private static void TransposeFour(float** rows, int valid, int columns, float factor, float* target, nint stride)
    {
        int column = 0;
        if (valid >= 4 && (Sse.IsSupported || AdvSimd.Arm64.IsSupported))
        {
            float* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
            var factors = Vector128.Create(factor);
            for (; column + 4 <= columns; column += 4)
            {
                var a = Vector128.Load(r0 + column) * factors;
                var b = Vector128.Load(r1 + column) * factors;
                var c = Vector128.Load(r2 + column) * factors;
                var d = Vector128.Load(r3 + column) * factors;
                Vector128<float> ab = Low(a, b), cd = Low(c, d);
                float* to = target + (column * stride);
                LowHalves(ab, cd).Store(to);
                HighHalves(ab, cd).Store(to + stride);
                ab = High(a, b);
                cd = High(c, d);
                LowHalves(ab, cd).Store(to + (2 * stride));
                HighHalves(ab, cd).Store(to + (3 * stride));
            }
        }

        for (; column < columns; column++)
        {
            for (int i = 0; i < 4; i++)
            {
                target[(column * stride) + i] = i < valid ? rows[i][column] * factor : 0f;
            }
        }
    }

    // a0 b0 a1 b1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    // a2 b2 a3 b3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    // a0 a1 b0 b1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowHalves(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.MoveLowToHigh(a, b) : AdvSimd.Arm64.ZipLow(a.AsDouble(), b.AsDouble()).AsSingle();

    // a2 a3 b2 b3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> HighHalves(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.MoveHighToLow(b, a) : AdvSimd.Arm64.ZipHigh(a.AsDouble(), b.AsDouble()).AsSingle();

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
