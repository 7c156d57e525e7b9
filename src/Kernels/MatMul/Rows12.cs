using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>12 x 2 vectors: 24 accumulators, 2 of B, 1 of A: 27 of the 32 registers of AVX-512.</summary>
internal readonly struct Rows12 : IRowBlock
{
    public static int Rows => 12;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe void Multiply<S, V>(int kc, float* a, float* b, float* c, int ldc, float alpha, bool add)
        where S : ISimd<V>
        where V : struct
    {
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
        for (int k = 0; k < kc; k++, a += 12, b += 2 * S.Count)
        {
            V b0 = S.Load(b);
            V b1 = S.Load(b + S.Count);
            V x = S.Set(a[0]);
            c00 = S.Fma(x, b0, c00);
            c01 = S.Fma(x, b1, c01);
            x = S.Set(a[1]);
            c10 = S.Fma(x, b0, c10);
            c11 = S.Fma(x, b1, c11);
            x = S.Set(a[2]);
            c20 = S.Fma(x, b0, c20);
            c21 = S.Fma(x, b1, c21);
            x = S.Set(a[3]);
            c30 = S.Fma(x, b0, c30);
            c31 = S.Fma(x, b1, c31);
            x = S.Set(a[4]);
            c40 = S.Fma(x, b0, c40);
            c41 = S.Fma(x, b1, c41);
            x = S.Set(a[5]);
            c50 = S.Fma(x, b0, c50);
            c51 = S.Fma(x, b1, c51);
            x = S.Set(a[6]);
            c60 = S.Fma(x, b0, c60);
            c61 = S.Fma(x, b1, c61);
            x = S.Set(a[7]);
            c70 = S.Fma(x, b0, c70);
            c71 = S.Fma(x, b1, c71);
            x = S.Set(a[8]);
            c80 = S.Fma(x, b0, c80);
            c81 = S.Fma(x, b1, c81);
            x = S.Set(a[9]);
            c90 = S.Fma(x, b0, c90);
            c91 = S.Fma(x, b1, c91);
            x = S.Set(a[10]);
            c100 = S.Fma(x, b0, c100);
            c101 = S.Fma(x, b1, c101);
            x = S.Set(a[11]);
            c110 = S.Fma(x, b0, c110);
            c111 = S.Fma(x, b1, c111);
        }

        V scale = S.Set(alpha);
        Write<S, V>(c + (0L * ldc), c00, c01, scale, add);
        Write<S, V>(c + (1L * ldc), c10, c11, scale, add);
        Write<S, V>(c + (2L * ldc), c20, c21, scale, add);
        Write<S, V>(c + (3L * ldc), c30, c31, scale, add);
        Write<S, V>(c + (4L * ldc), c40, c41, scale, add);
        Write<S, V>(c + (5L * ldc), c50, c51, scale, add);
        Write<S, V>(c + (6L * ldc), c60, c61, scale, add);
        Write<S, V>(c + (7L * ldc), c70, c71, scale, add);
        Write<S, V>(c + (8L * ldc), c80, c81, scale, add);
        Write<S, V>(c + (9L * ldc), c90, c91, scale, add);
        Write<S, V>(c + (10L * ldc), c100, c101, scale, add);
        Write<S, V>(c + (11L * ldc), c110, c111, scale, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Write<S, V>(float* c, V value0, V value1, V scale, bool add)
        where S : ISimd<V>
        where V : struct
    {
        if (add)
        {
            S.Store(c, S.Fma(value0, scale, S.Load(c)));
            S.Store(c + S.Count, S.Fma(value1, scale, S.Load(c + S.Count)));
        }
        else
        {
            S.Store(c, S.Multiply(value0, scale));
            S.Store(c + S.Count, S.Multiply(value1, scale));
        }
    }
}
