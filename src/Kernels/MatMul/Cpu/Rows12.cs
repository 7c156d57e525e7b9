using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>12 x 2 vectors: 24 accumulators, 2 of B, 1 of A: 27 of the 32 registers of AVX-512.</summary>
internal readonly struct Rows12 : IRowBlock
{
    public static int Rows => CpuMatMulPlan.ManyRows;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe void Multiply<S, V>(int kc, float* a, nint row, nint step, float* b, nint width, float* tile, bool add)
        where S : ISimd<V>
        where V : struct
    {
        // Every third row has a pointer, its neighbours are one and two distances away: more pointers than that do not fit into registers.
        nint two = 2 * row;
        float* a3 = a + (3 * row);
        float* a6 = a + (6 * row);
        float* a9 = a + (9 * row);
        V c00 = S.Zero, c01 = S.Zero;
        V c10 = S.Zero, c11 = S.Zero;
        V c20 = S.Zero, c21 = S.Zero;
        V c30 = S.Zero, c31 = S.Zero;
        V c40 = S.Zero, c41 = S.Zero;
        V c50 = S.Zero, c51 = S.Zero;
        V c60 = S.Zero, c61 = S.Zero;
        V c70 = S.Zero, c71 = S.Zero;
        V c80 = S.Zero, c81 = S.Zero;
        V c90 = S.Zero, c91 = S.Zero;
        V c100 = S.Zero, c101 = S.Zero;
        V c110 = S.Zero, c111 = S.Zero;
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
            x = S.Set(a6[0]);
            c60 = S.Fma(x, b0, c60);
            c61 = S.Fma(x, b1, c61);
            x = S.Set(a6[row]);
            c70 = S.Fma(x, b0, c70);
            c71 = S.Fma(x, b1, c71);
            x = S.Set(a6[two]);
            c80 = S.Fma(x, b0, c80);
            c81 = S.Fma(x, b1, c81);
            x = S.Set(a9[0]);
            c90 = S.Fma(x, b0, c90);
            c91 = S.Fma(x, b1, c91);
            x = S.Set(a9[row]);
            c100 = S.Fma(x, b0, c100);
            c101 = S.Fma(x, b1, c101);
            x = S.Set(a9[two]);
            c110 = S.Fma(x, b0, c110);
            c111 = S.Fma(x, b1, c111);
            a += step;
            a3 += step;
            a6 += step;
            a9 += step;
        }

        Write<S, V>(tile + (0 * 2 * S.Count), c00, c01, add);
        Write<S, V>(tile + (1 * 2 * S.Count), c10, c11, add);
        Write<S, V>(tile + (2 * 2 * S.Count), c20, c21, add);
        Write<S, V>(tile + (3 * 2 * S.Count), c30, c31, add);
        Write<S, V>(tile + (4 * 2 * S.Count), c40, c41, add);
        Write<S, V>(tile + (5 * 2 * S.Count), c50, c51, add);
        Write<S, V>(tile + (6 * 2 * S.Count), c60, c61, add);
        Write<S, V>(tile + (7 * 2 * S.Count), c70, c71, add);
        Write<S, V>(tile + (8 * 2 * S.Count), c80, c81, add);
        Write<S, V>(tile + (9 * 2 * S.Count), c90, c91, add);
        Write<S, V>(tile + (10 * 2 * S.Count), c100, c101, add);
        Write<S, V>(tile + (11 * 2 * S.Count), c110, c111, add);
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
