using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Softmax.Cpu;

/// <summary>Softmax of rows, by vectors along the row. The last, partial vector of a row goes through a buffer.</summary>
internal static unsafe class CpuSoftmaxRows
{
    private const int Most = SimdLevel.MaxLanes;

    internal readonly struct ForwardTile : ITileKernel<SoftmaxArguments>
    {
        public static void Tile<S, V>(SoftmaxArguments* a, int tile, int worker)
            where S : ISimd<V>
            where V : struct
        {
            int length = a->Length, vectors = length - (length % S.Count), rest = length - vectors;
            float* buffer = stackalloc float[Most];
            for (long row = Tiling.Start(a->Outer, a->Tiles, tile), end = Tiling.Start(a->Outer, a->Tiles, tile + 1); row < end; row++)
            {
                float* x = a->X + (row * length);
                float* y = a->Y + (row * length);

                // Lanes that do not exist hold -infinity: never the largest, and nothing in the sum.
                new Span<float>(buffer, Most).Fill(float.NegativeInfinity);
                new Span<float>(x + vectors, rest).CopyTo(new Span<float>(buffer, rest));
                V largest = S.Load(buffer), probe = S.SelectEqual(largest, largest, S.Zero, largest);
                for (int i = 0; i < vectors; i += S.Count)
                {
                    V value = S.Load(x + i);
                    largest = S.Max(largest, value);
                    probe = S.SelectEqual(value, value, probe, value);
                }

                V max = S.Set(S.MaxLane(largest) + S.Sum(probe)), sum = S.Zero;
                for (int i = 0; i < vectors; i += S.Count)
                {
                    V shifted = S.Subtract(S.Load(x + i), max), e = VectorFunctions<S, V>.Exp(shifted);
                    sum = S.Add(sum, e);
                    S.Store(y + i, a->Logarithm ? shifted : e);
                }

                if (rest > 0)
                {
                    V shifted = S.Subtract(S.Load(buffer), max), e = VectorFunctions<S, V>.Exp(shifted);
                    sum = S.Add(sum, e);
                    S.Store(buffer, a->Logarithm ? shifted : e);
                }

                float total = S.Sum(sum);
                V shift = S.Set(a->Logarithm ? MathF.Log(total) : 1f / total);
                for (int i = 0; i < vectors; i += S.Count)
                {
                    S.Store(y + i, a->Logarithm ? S.Subtract(S.Load(y + i), shift) : S.Multiply(S.Load(y + i), shift));
                }

                if (rest > 0)
                {
                    S.Store(buffer, a->Logarithm ? S.Subtract(S.Load(buffer), shift) : S.Multiply(S.Load(buffer), shift));
                    new Span<float>(buffer, rest).CopyTo(new Span<float>(y + vectors, rest));
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
            int length = a->Length, vectors = length - (length % S.Count), rest = length - vectors;
            float* buffer = stackalloc float[2 * Most];
            new Span<float>(buffer, 2 * Most).Clear();
            for (long row = Tiling.Start(a->Outer, a->Tiles, tile), end = Tiling.Start(a->Outer, a->Tiles, tile + 1); row < end; row++)
            {
                float* y = a->Y + (row * length);
                float* dy = a->Dy + (row * length);
                float* dx = a->Dx + (row * length);
                new Span<float>(y + vectors, rest).CopyTo(new Span<float>(buffer, rest));
                new Span<float>(dy + vectors, rest).CopyTo(new Span<float>(buffer + Most, rest));
                V sum = a->Logarithm ? S.Load(buffer + Most) : S.Multiply(S.Load(buffer), S.Load(buffer + Most));
                for (int i = 0; i < vectors; i += S.Count)
                {
                    sum = a->Logarithm ? S.Add(sum, S.Load(dy + i)) : S.Fma(S.Load(dy + i), S.Load(y + i), sum);
                }

                sum = S.Set(S.Sum(sum));
                for (int i = 0; i < vectors; i += S.Count)
                {
                    V value = Slope<S, V>(S.Load(y + i), S.Load(dy + i), sum, a->Logarithm);
                    S.Store(dx + i, a->Accumulate ? S.Add(S.Load(dx + i), value) : value);
                }

                if (rest > 0)
                {
                    Finish<S, V>(buffer, sum, dx + vectors, rest, a->Logarithm, a->Accumulate);
                }
            }
        }

        private static void Finish<S, V>(float* buffer, V sum, float* dx, int rest, bool logarithm, bool accumulate)
            where S : ISimd<V>
            where V : struct
        {
            S.Store(buffer, Slope<S, V>(S.Load(buffer), S.Load(buffer + Most), sum, logarithm));
            for (int i = 0; i < rest; i++)
            {
                dx[i] = accumulate ? dx[i] + buffer[i] : buffer[i];
            }

            // The lanes that do not exist must add nothing to the next row's sum.
            new Span<float>(buffer, Most).Clear();
        }
    }

    /// <summary>The gradient of the input, given the output, its gradient and their sum over the slice.</summary>
    internal static V Slope<S, V>(V y, V dy, V sum, bool logarithm)
        where S : ISimd<V>
        where V : struct =>
        logarithm ? S.Subtract(dy, S.Multiply(VectorFunctions<S, V>.Exp(y), sum)) : S.Multiply(y, S.Subtract(dy, sum));
}
