using Ldvc.Kernels.Elementwise.Functions;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Elementwise.Cpu;

internal unsafe struct StridedArguments
{
    public float* A;
    public float* B;
    public float* Y;
    public BroadcastLayout Layout;
    public bool Accumulate;
    public int Tiles;
}

/// <summary>
/// One tile of y (+)= f(a, b) for operands that are repeated or permuted: the result is walked in order, a run of the innermost merged dimension at a
/// time, in which an operand is a row of memory, one number, or (permuted) one number out of many.
/// </summary>
internal readonly unsafe struct CpuStrided<TFunction> : ITileKernel<StridedArguments>
    where TFunction : struct, IBinaryFunction
{
    public static void Tile<S, V>(StridedArguments* a, int tile, int worker)
        where S : ISimd<V>
        where V : struct
    {
        long i = Tiling.Start(a->Layout.Count, a->Tiles, tile), end = Tiling.Start(a->Layout.Count, a->Tiles, tile + 1);
        int last = a->Layout.Rank - 1, inner = a->Layout.Size(last);
        long stepA = a->Layout.StrideA(last), stepB = a->Layout.StrideB(last);
        while (i < end)
        {
            long row = i / inner, at = i - (row * inner);
            int count = (int)Math.Min(inner - at, end - i);
            long offsetA = at * stepA, offsetB = at * stepB;
            for (int d = last - 1; d >= 0; d--)
            {
                long next = row / a->Layout.Size(d), index = row - (next * a->Layout.Size(d));
                offsetA += index * a->Layout.StrideA(d);
                offsetB += index * a->Layout.StrideB(d);
                row = next;
            }

            Run<S, V>(a->A + offsetA, stepA, a->B + offsetB, stepB, a->Y + i, count, a->Accumulate);
            i += count;
        }
    }

    private static void Run<S, V>(float* a, long stepA, float* b, long stepB, float* y, int count, bool accumulate)
        where S : ISimd<V>
        where V : struct
    {
        int i = 0;
        if (stepA is 0 or 1 && stepB is 0 or 1 && count >= S.Count)
        {
            V left = S.Set(a[0]), right = S.Set(b[0]);
            for (; i + S.Count <= count; i += S.Count)
            {
                V value = TFunction.Value<S, V>(stepA == 0 ? left : S.Load(a + i), stepB == 0 ? right : S.Load(b + i));
                S.Store(y + i, accumulate ? S.Add(S.Load(y + i), value) : value);
            }
        }

        for (; i < count; i++)
        {
            float value = TFunction.Value(a[i * stepA], b[i * stepB]);
            y[i] = accumulate ? y[i] + value : value;
        }
    }
}
