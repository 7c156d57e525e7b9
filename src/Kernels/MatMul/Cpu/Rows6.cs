using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>6 x 2 vectors: 12 accumulators, 2 of B, 1 of A: 15 of the 16 registers of SSE and AVX2; and the last rows of AVX-512.</summary>
internal readonly struct Rows6 : IRowBlock
{
    public static int Rows => CpuMatMulPlan.FewRows;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe void Multiply<S, V>(int kc, float* a, nint row, nint step, float* b, nint width, float* tile, bool add)
        where S : ISimd<V>
        where V : struct
    {
        // Every third row has a pointer, its neighbours are one and two distances away: more pointers than that do not fit into registers.
        nint two = 2 * row;
        float* a3 = a + (3 * row);
        V c00 = S.Zero, c01 = S.Zero;
        V c10 = S.Zero, c11 = S.Zero;
        V c20 = S.Zero, c21 = S.Zero;
        V c30 = S.Zero, c31 = S.Zero;
        V c40 = S.Zero, c41 = S.Zero;
        V c50 = S.Zero, c51 = S.Zero;
        for (int k = 0; k < kc; k++)
        {
            V b0 = S.Load(b);
            V b1 = S.Load(b + S.Count);
            b += width;
            V x = S.Set(a[0]);
            c00 = S.Fma(x, b0, c00);
            c01 = S.Fma(x, b1, c01);
            x = S.Set(a[row]);
            c10 = S.Fma(x, b0, c10);
            c11 = S.Fma(x, b1, c11);
            x = S.Set(a[two]);
            c20 = S.Fma(x, b0, c20);
            c21 = S.Fma(x, b1, c21);
            x = S.Set(a3[0]);
            c30 = S.Fma(x, b0, c30);
            c31 = S.Fma(x, b1, c31);
            x = S.Set(a3[row]);
            c40 = S.Fma(x, b0, c40);
            c41 = S.Fma(x, b1, c41);
            x = S.Set(a3[two]);
            c50 = S.Fma(x, b0, c50);
            c51 = S.Fma(x, b1, c51);
            a += step;
            a3 += step;
        }

        Write<S, V>(tile + (0 * 2 * S.Count), c00, c01, add);
        Write<S, V>(tile + (1 * 2 * S.Count), c10, c11, add);
        Write<S, V>(tile + (2 * 2 * S.Count), c20, c21, add);
        Write<S, V>(tile + (3 * 2 * S.Count), c30, c31, add);
        Write<S, V>(tile + (4 * 2 * S.Count), c40, c41, add);
        Write<S, V>(tile + (5 * 2 * S.Count), c50, c51, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Write<S, V>(float* c, V value0, V value1, bool add)
        where S : ISimd<V>
        where V : struct
    {
        S.Store(c, add ? S.Add(value0, S.Load(c)) : value0);
        S.Store(c + S.Count, add ? S.Add(value1, S.Load(c + S.Count)) : value1);
    }
}
