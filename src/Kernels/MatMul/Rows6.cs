using System.Runtime.CompilerServices;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>6 x 2 vectors: 12 accumulators, 2 of B, 1 of A: 15 of the 16 registers of SSE and AVX2.</summary>
internal readonly struct Rows6 : IRowBlock
{
    public static int Rows => 6;

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
        for (int k = 0; k < kc; k++, a += 6, b += 2 * S.Count)
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
        }

        V scale = S.Set(alpha);
        Write<S, V>(c + (0L * ldc), c00, c01, scale, add);
        Write<S, V>(c + (1L * ldc), c10, c11, scale, add);
        Write<S, V>(c + (2L * ldc), c20, c21, scale, add);
        Write<S, V>(c + (3L * ldc), c30, c31, scale, add);
        Write<S, V>(c + (4L * ldc), c40, c41, scale, add);
        Write<S, V>(c + (5L * ldc), c50, c51, scale, add);
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
