namespace Ldvc.Ptx.Machine;

/// <summary>
/// mma.sync and ldmatrix as the PTX ISA lays out fragments (9.7.14): g = lane / 4 and t = lane % 4; written from the manual, not from the C# bodies
/// that the simulator runs.
/// </summary>
internal static class PtxTensorCore
{
    private const int Lanes = 32;

    /// <summary>
    /// D [16, 8] = A [16, 16] B [16, 8] + C: registers of A hold two numbers of 16 bits, rows g and g + 8, columns 2 t and 2 t + 8; those of B rows 2
    /// t and 2 t + 8 of column g.
    /// </summary>
    internal static void Bf16(uint[][] a, uint[][] b, float[][] c, float[][] d) => Halves(Upper, a, b, c, d);

    /// <summary>The same of fp16.</summary>
    internal static void Fp16(uint[][] a, uint[][] b, float[][] c, float[][] d) => Halves(half => OfFp16((ushort)half), a, b, c, d);

    /// <summary>The value of a binary16: 5 bits of exponent, 10 of mantissa (IEEE 754, 3.4).</summary>
    internal static float OfFp16(ushort bits)
    {
        int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
        double size = exponent == 31 ? (mantissa == 0 ? double.PositiveInfinity : double.NaN)
            : exponent == 0 ? Math.ScaleB(mantissa, -24)
            : Math.ScaleB(1024 + mantissa, exponent - 25);
        return (float)((bits & 0x8000) != 0 ? -size : size);
    }

    private static void Halves(Func<uint, float> value, uint[][] a, uint[][] b, float[][] c, float[][] d)
    {
        var left = new float[16, 16];
        var right = new float[16, 8];
        for (int lane = 0; lane < Lanes; lane++)
        {
            int g = lane / 4, t = lane % 4;
            for (int half = 0; half < 2; half++)
            {
                int shift = 16 * half, column = (2 * t) + half;
                left[g, column] = value(a[0][lane] >> shift);
                left[g + 8, column] = value(a[1][lane] >> shift);
                left[g, column + 8] = value(a[2][lane] >> shift);
                left[g + 8, column + 8] = value(a[3][lane] >> shift);
                right[column, g] = value(b[0][lane] >> shift);
                right[column + 8, g] = value(b[1][lane] >> shift);
            }
        }

        Multiply(left, right, 16, c, d);
    }

    /// <summary>
    /// D [16, 8] = A [16, 8] B [8, 8] + C: a register an element, rows g and g + 8, columns t and t + 4; of B rows t and t + 4 of column g. The lower
    /// 13 bits do not count.
    /// </summary>
    internal static void Tf32(uint[][] a, uint[][] b, float[][] c, float[][] d)
    {
        var left = new float[16, 8];
        var right = new float[8, 8];
        for (int lane = 0; lane < Lanes; lane++)
        {
            int g = lane / 4, t = lane % 4;
            (left[g, t], left[g + 8, t], left[g, t + 4], left[g + 8, t + 4]) = (Cut(a[0][lane]), Cut(a[1][lane]), Cut(a[2][lane]), Cut(a[3][lane]));
            (right[t, g], right[t + 4, g]) = (Cut(b[0][lane]), Cut(b[1][lane]));
        }

        Multiply(left, right, 8, c, d);
    }

    /// <summary>A lane's share of an 8 x 8 matrix of 16-bit elements: two neighbours of row g, or with trans of column g.</summary>
    /// <param name="rows">Its rows, 16 bytes each.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="transposed">Whether rows and columns change places.</param>
    internal static uint Share(ushort[][] rows, int lane, bool transposed)
    {
        int g = lane / 4, t = lane % 4;
        return transposed ? rows[2 * t][g] | ((uint)rows[(2 * t) + 1][g] << 16) : rows[g][2 * t] | ((uint)rows[g][(2 * t) + 1] << 16);
    }

    // C and D: rows g and g + 8, columns 2 t and 2 t + 1.
    private static void Multiply(float[,] left, float[,] right, int depth, float[][] c, float[][] d)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            int g = lane / 4, t = lane % 4;
            for (int i = 0; i < 4; i++)
            {
                int row = i < 2 ? g : g + 8, column = (2 * t) + (i & 1);
                double sum = c[i][lane];
                for (int k = 0; k < depth; k++)
                {
                    sum += (double)left[row, k] * right[k, column];
                }

                d[i][lane] = (float)sum;
            }
        }
    }

    private static float Upper(uint half) => BitConverter.UInt32BitsToSingle(half << 16);

    private static float Cut(uint bits) => BitConverter.UInt32BitsToSingle(bits & ~0x1FFFu);
}
