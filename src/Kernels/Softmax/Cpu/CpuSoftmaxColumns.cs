using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Softmax.Cpu;

/// <summary>
/// Softmax down columns, a vector of columns at a time: no lane needs another, so nothing is reduced across lanes. Columns that do not fill a vector
/// are copied through a buffer.
/// </summary>
internal static unsafe class CpuSoftmaxColumns
{
    private const int Most = SoftmaxPlan.CpuColumns;

    internal readonly struct ForwardTile : ITileKernel<SoftmaxArguments>
    {
        public static void Tile<S, V>(SoftmaxArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct
        {
            float* buffer = stackalloc float[Most];
            new Span<float>(buffer, Most).Clear();
            var columns = new Columns(a, tile);
            while (columns.Next(S.Count))
            {
                float* x = a->X + columns.At;
                float* y = a->Y + columns.At;
                V largest = Read<S, V>(x, columns.Count, buffer), sum = S.Zero;
                for (int i = 1; i < a->Length; i++)
                {
                    V value = Read<S, V>(x + ((long)i * a->Inner), columns.Count, buffer);
                    largest = S.SelectEqual(largest, largest, S.SelectGreater(largest, value, largest, value), largest);
                }

                for (int first = 0, end; first < a->Length; first = end)
                {
                    end = Tiling.BlockEnd(first, a->Length);
                    V part = S.Zero;
                    for (int i = first; i < end; i++)
                    {
                        long at = (long)i * a->Inner;
                        V shifted = S.Subtract(Read<S, V>(x + at, columns.Count, buffer), largest), e = VectorFunctions<S, V>.Exp(shifted);
                        part = S.Add(part, e);
                        Write<S, V>(y + at, columns.Count, a->Logarithm ? shifted : e, buffer);
                    }

                    sum = S.Add(sum, part);
                }

                V shift = a->Logarithm ? S.Log(sum) : S.Reciprocal(sum);
                for (int i = 0; i < a->Length; i++)
                {
                    long at = (long)i * a->Inner;
                    V value = Read<S, V>(y + at, columns.Count, buffer);
                    Write<S, V>(y + at, columns.Count, a->Logarithm ? S.Subtract(value, shift) : S.Multiply(value, shift), buffer);
                }
            }
        }
    }

    internal readonly struct BackwardTile : ITileKernel<SoftmaxArguments>
    {
        public static void Tile<S, V>(SoftmaxArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct
        {
            float* buffer = stackalloc float[Most];
            new Span<float>(buffer, Most).Clear();
            var columns = new Columns(a, tile);
            while (columns.Next(S.Count))
            {
                V sum = S.Zero;
                for (int first = 0, end; first < a->Length; first = end)
                {
                    end = Tiling.BlockEnd(first, a->Length);
                    V part = S.Zero;
                    for (int i = first; i < end; i++)
                    {
                        long at = columns.At + ((long)i * a->Inner);
                        V dy = Read<S, V>(a->Dy + at, columns.Count, buffer);
                        part = a->Logarithm ? S.Add(part, dy) : S.Fma(dy, Read<S, V>(a->Y + at, columns.Count, buffer), part);
                    }

                    sum = S.Add(sum, part);
                }

                for (int i = 0; i < a->Length; i++)
                {
                    long at = columns.At + ((long)i * a->Inner);
                    V y = Read<S, V>(a->Y + at, columns.Count, buffer), dy = Read<S, V>(a->Dy + at, columns.Count, buffer);
                    V value = CpuSoftmaxRows.Slope<S, V>(y, dy, sum, a->Logarithm);
                    Write<S, V>(
                        a->Dx + at, columns.Count, a->Accumulate ? S.Add(Read<S, V>(a->Dx + at, columns.Count, buffer), value) : value, buffer);
                }
            }
        }
    }

    private static V Read<S, V>(float* source, int count, float* buffer)
        where S : ISimd<V>
        where V : struct
    {
        if (count == S.Count)
        {
            return S.Load(source);
        }

        new Span<float>(source, count).CopyTo(new Span<float>(buffer, count));
        return S.Load(buffer);
    }

    private static void Write<S, V>(float* target, int count, V value, float* buffer)
        where S : ISimd<V>
        where V : struct
    {
        if (count == S.Count)
        {
            S.Store(target, value);
            return;
        }

        S.Store(buffer, value);
        new Span<float>(buffer, count).CopyTo(new Span<float>(target, count));
    }

    /// <summary>Walks the columns of a tile, up to a vector of them at a time.</summary>
    private struct Columns(SoftmaxArguments* a, int tile)
    {
        private readonly long _end = Tiling.Start((long)a->Outer * a->ColumnBlocks, a->Tiles, tile + 1);
        private long _block = Tiling.Start((long)a->Outer * a->ColumnBlocks, a->Tiles, tile);
        private int _inBlock;

        /// <summary>Where the first column begins.</summary>
        internal long At { get; private set; }

        /// <summary>How many there are.</summary>
        internal int Count { get; private set; }

        internal bool Next(int lanes)
        {
            while (_block < _end)
            {
                long outer = _block / a->ColumnBlocks;
                int block = (int)(_block - (outer * a->ColumnBlocks)) * Most, start = block + _inBlock, stop = Math.Min(a->Inner, block + Most);
                if (start < stop)
                {
                    At = (outer * a->Length * a->Inner) + start;
                    Count = Math.Min(lanes, stop - start);
                    _inBlock += Count;
                    return true;
                }

                _block++;
                _inBlock = 0;
            }

            return false;
        }
    }
}
