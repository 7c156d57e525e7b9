using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.Attention.Cpu;

/// <summary>What a product does with the old contents of its target.</summary>
internal enum TileUpdate
{
    /// <summary>c = a b.</summary>
    Set,

    /// <summary>c = c + a b.</summary>
    Add,

    /// <summary>c = factor of the row * c + a b.</summary>
    ScaleAdd,
}

/// <summary>
/// The small matrix products of attention tiles. Six rows times two vectors of c stay in 12 registers; b comes in panels of two vectors
/// ([panel][inner][2 vectors], a single vector for an odd last one), and a's elements are broadcast from row pointers with any step, so that a
/// matrix and its transpose both serve without a copy. Each element of c is one chain of fused multiply-adds in the order of the inner index,
/// starting from the old value: results do not depend on how the inner dimension was cut into tiles.
/// </summary>
internal static unsafe class CpuTileProduct<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>Rows of a block. Row pointers and the target must be padded up to a multiple of it.</summary>
    internal const int BlockRows = AttentionPlan.CpuBlockRows;

    /// <summary>Rounds a number of rows up to whole blocks.</summary>
    internal static int PadRows(int rows) => (rows + BlockRows - 1) / BlockRows * BlockRows;

    /// <summary>Rounds a number of columns up to whole vectors.</summary>
    internal static int PadColumns(int columns) => (columns + S.Count - 1) / S.Count * S.Count;

    /// <summary>c[rows, columns] = (c +) a b.</summary>
    internal static void Multiply(
        float** a, int step, int rows, float* b, int columns, int inner, float* c, int stride, TileUpdate update, float* factors = null)
    {
        int width = 2 * S.Count;
        for (int row = 0; row < rows; row += BlockRows)
        {
            float* panel = b;
            float* target = c + ((long)row * stride);
            int column = 0;
            for (; column + width <= columns; column += width)
            {
                Block(a + row, step, panel, inner, target + column, stride, update, factors + row);
                panel += (long)inner * width;
            }

            if (column < columns)
            {
                NarrowBlock(a + row, step, panel, inner, target + column, stride, update, factors + row);
            }
        }
    }

    private static void Block(float** a, nint step, float* b, int inner, float* c, nint stride, TileUpdate update, float* factors)
    {
        float* a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], a4 = a[4], a5 = a[5];
        V c00 = S.Zero, c01 = S.Zero, c10 = S.Zero, c11 = S.Zero, c20 = S.Zero, c21 = S.Zero;
        V c30 = S.Zero, c31 = S.Zero, c40 = S.Zero, c41 = S.Zero, c50 = S.Zero, c51 = S.Zero;
        if (update != TileUpdate.Set)
        {
            float* r = c;
            c00 = S.Load(r);
            c01 = S.Load(r + S.Count);
            r += stride;
            c10 = S.Load(r);
            c11 = S.Load(r + S.Count);
            r += stride;
            c20 = S.Load(r);
            c21 = S.Load(r + S.Count);
            r += stride;
            c30 = S.Load(r);
            c31 = S.Load(r + S.Count);
            r += stride;
            c40 = S.Load(r);
            c41 = S.Load(r + S.Count);
            r += stride;
            c50 = S.Load(r);
            c51 = S.Load(r + S.Count);
            if (update == TileUpdate.ScaleAdd)
            {
                V f = S.Set(factors[0]);
                c00 = S.Multiply(c00, f);
                c01 = S.Multiply(c01, f);
                f = S.Set(factors[1]);
                c10 = S.Multiply(c10, f);
                c11 = S.Multiply(c11, f);
                f = S.Set(factors[2]);
                c20 = S.Multiply(c20, f);
                c21 = S.Multiply(c21, f);
                f = S.Set(factors[3]);
                c30 = S.Multiply(c30, f);
                c31 = S.Multiply(c31, f);
                f = S.Set(factors[4]);
                c40 = S.Multiply(c40, f);
                c41 = S.Multiply(c41, f);
                f = S.Set(factors[5]);
                c50 = S.Multiply(c50, f);
                c51 = S.Multiply(c51, f);
            }
        }

        nint at = 0;
        for (int k = 0; k < inner; k++)
        {
            V b0 = S.Load(b), b1 = S.Load(b + S.Count);
            V x = S.Set(a0[at]);
            c00 = S.Fma(x, b0, c00);
            c01 = S.Fma(x, b1, c01);
            x = S.Set(a1[at]);
            c10 = S.Fma(x, b0, c10);
            c11 = S.Fma(x, b1, c11);
            x = S.Set(a2[at]);
            c20 = S.Fma(x, b0, c20);
            c21 = S.Fma(x, b1, c21);
            x = S.Set(a3[at]);
            c30 = S.Fma(x, b0, c30);
            c31 = S.Fma(x, b1, c31);
            x = S.Set(a4[at]);
            c40 = S.Fma(x, b0, c40);
            c41 = S.Fma(x, b1, c41);
            x = S.Set(a5[at]);
            c50 = S.Fma(x, b0, c50);
            c51 = S.Fma(x, b1, c51);
            b += 2 * S.Count;
            at += step;
        }

        S.Store(c, c00);
        S.Store(c + S.Count, c01);
        c += stride;
        S.Store(c, c10);
        S.Store(c + S.Count, c11);
        c += stride;
        S.Store(c, c20);
        S.Store(c + S.Count, c21);
        c += stride;
        S.Store(c, c30);
        S.Store(c + S.Count, c31);
        c += stride;
        S.Store(c, c40);
        S.Store(c + S.Count, c41);
        c += stride;
        S.Store(c, c50);
        S.Store(c + S.Count, c51);
    }

    // One vector wide: the last panel of an odd number of vectors.
    private static void NarrowBlock(float** a, nint step, float* b, int inner, float* c, nint stride, TileUpdate update, float* factors)
    {
        float* a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], a4 = a[4], a5 = a[5];
        V c0 = S.Zero, c1 = S.Zero, c2 = S.Zero, c3 = S.Zero, c4 = S.Zero, c5 = S.Zero;
        if (update != TileUpdate.Set)
        {
            c0 = S.Load(c);
            c1 = S.Load(c + stride);
            c2 = S.Load(c + (2 * stride));
            c3 = S.Load(c + (3 * stride));
            c4 = S.Load(c + (4 * stride));
            c5 = S.Load(c + (5 * stride));
            if (update == TileUpdate.ScaleAdd)
            {
                c0 = S.Multiply(c0, S.Set(factors[0]));
                c1 = S.Multiply(c1, S.Set(factors[1]));
                c2 = S.Multiply(c2, S.Set(factors[2]));
                c3 = S.Multiply(c3, S.Set(factors[3]));
                c4 = S.Multiply(c4, S.Set(factors[4]));
                c5 = S.Multiply(c5, S.Set(factors[5]));
            }
        }

        nint at = 0;
        for (int k = 0; k < inner; k++)
        {
            V x = S.Load(b);
            c0 = S.Fma(S.Set(a0[at]), x, c0);
            c1 = S.Fma(S.Set(a1[at]), x, c1);
            c2 = S.Fma(S.Set(a2[at]), x, c2);
            c3 = S.Fma(S.Set(a3[at]), x, c3);
            c4 = S.Fma(S.Set(a4[at]), x, c4);
            c5 = S.Fma(S.Set(a5[at]), x, c5);
            b += S.Count;
            at += step;
        }

        S.Store(c, c0);
        S.Store(c + stride, c1);
        S.Store(c + (2 * stride), c2);
        S.Store(c + (3 * stride), c3);
        S.Store(c + (4 * stride), c4);
        S.Store(c + (5 * stride), c5);
    }
}
