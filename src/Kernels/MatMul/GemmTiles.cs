using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

internal unsafe struct GemmArguments
{
    public float* A;
    public float* B;
    public float* C;
    public float* Bias;
    public float* PreActivation;
    public float* Residual;
    public float* ActivationGradientOf;
    public float* PackedA;
    public float* PackedB;
    public int M;
    public int N;
    public int Kc;
    public int Mc;
    public int Lda;
    public int Ldb;
    public int Ldc;
    public int MBlocks;
    public int NBlocks;
    public int Panels;
    public int PackTiles;
    public float Alpha;
    public bool TransposeA;
    public bool TransposeB;
    public bool Add;
    public bool Last;
    public Activation Activation;
}

/// <summary>The tiles of one K block: packing B, and one M block against a range of B's panels.</summary>
internal static unsafe class GemmTiles<S, V, R>
    where S : ISimd<V>
    where V : struct
    where R : IRowBlock
{
    private static int Nr => 2 * S.Count;

    /// <summary>Packs a share of the panels: panel j holds columns j*NR.., for each k NR values side by side, zeros past N.</summary>
    internal static void PackB(GemmArguments* a, int tile, int worker)
    {
        int nr = Nr, kc = a->Kc;
        for (int panel = (int)Tiling.Start(a->Panels, a->PackTiles, tile), end = (int)Tiling.Start(a->Panels, a->PackTiles, tile + 1); panel < end; panel++)
        {
            int column = panel * nr, columns = Math.Min(nr, a->N - column);
            float* target = a->PackedB + ((long)panel * nr * kc);
            if (a->TransposeB)
            {
                Packing.Interleave(a->B + ((long)column * a->Ldb), a->Ldb, columns, kc, target, nr);
            }
            else
            {
                Packing.Copy(a->B + column, a->Ldb, columns, kc, target, nr);
            }
        }
    }

    /// <summary>Packs one block of A and multiplies it with a range of panels.</summary>
    internal static void Block(GemmArguments* a, int tile, int worker)
    {
        int mBlock = tile / a->NBlocks, nBlock = tile % a->NBlocks;
        int mr = R.Rows, nr = Nr, kc = a->Kc;
        int row0 = mBlock * a->Mc, rows = Math.Min(a->Mc, a->M - row0);
        float* packedA = a->PackedA + ((long)worker * a->Mc * kc);
        for (int row = 0; row < rows; row += mr)
        {
            int count = Math.Min(mr, rows - row);
            float* target = packedA + ((long)row * kc);
            if (a->TransposeA)
            {
                Packing.Copy(a->A + row0 + row, a->Lda, count, kc, target, mr);
            }
            else
            {
                Packing.Interleave(a->A + ((long)(row0 + row) * a->Lda), a->Lda, count, kc, target, mr);
            }
        }

        float* edge = stackalloc float[12 * 32];
        for (int panel = (int)Tiling.Start(a->Panels, a->NBlocks, nBlock), end = (int)Tiling.Start(a->Panels, a->NBlocks, nBlock + 1); panel < end; panel++)
        {
            int column = panel * nr, columns = Math.Min(nr, a->N - column);
            float* packedB = a->PackedB + ((long)panel * nr * kc);
            for (int row = 0; row < rows; row += mr)
            {
                int count = Math.Min(mr, rows - row);
                long offset = ((long)(row0 + row) * a->Ldc) + column;
                float* c = a->C + offset;
                if (count == mr && columns == nr)
                {
                    R.Multiply<S, V>(kc, packedA + ((long)row * kc), packedB, c, a->Ldc, a->Alpha, a->Add);
                }
                else
                {
                    R.Multiply<S, V>(kc, packedA + ((long)row * kc), packedB, edge, nr, a->Alpha, false);
                    for (int i = 0; i < count; i++)
                    {
                        for (int j = 0; j < columns; j++)
                        {
                            float value = edge[(i * nr) + j];
                            c[((long)i * a->Ldc) + j] = a->Add ? c[((long)i * a->Ldc) + j] + value : value;
                        }
                    }
                }

                if (a->Last)
                {
                    GemmEpilogue<S, V>.Apply(a, offset, column, count, columns);
                }
            }
        }
    }
}
