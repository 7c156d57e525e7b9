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
    public int Ks;
    public int Kc;
    public int Slivers;
    public int SliversPerBlock;
    public long PackedALength;
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

/// <summary>The tiles of one group of K blocks: packing B, and one block of A's slivers against a range of B's panels.</summary>
internal static unsafe class GemmTiles<S, V, R>
    where S : ISimd<V>
    where V : struct
    where R : IRowBlock
{
    private static int Nr => 2 * S.Count;

    /// <summary>Packs a share of the panels: panel j holds columns j*NR.., for each k NR values side by side, zeros past N.</summary>
    internal static void PackB(GemmArguments* a, int tile, int worker)
    {
        int nr = Nr, ks = a->Ks;
        for (int panel = (int)Tiling.Start(a->Panels, a->PackTiles, tile), end = (int)Tiling.Start(a->Panels, a->PackTiles, tile + 1); panel < end; panel++)
        {
            int column = panel * nr, columns = Math.Min(nr, a->N - column);
            float* target = a->PackedB + ((long)panel * nr * ks);
            if (a->TransposeB)
            {
                Packing.Interleave(a->B + ((long)column * a->Ldb), a->Ldb, columns, ks, target, nr);
            }
            else
            {
                Packing.Copy(a->B + column, a->Ldb, columns, ks, target, nr);
            }
        }
    }

    /// <summary>Packs one block of A and multiplies it with a range of panels.</summary>
    internal static void Block(GemmArguments* a, int tile, int worker)
    {
        int mBlock = tile / a->NBlocks, nBlock = tile % a->NBlocks;

        // The larger blocks come first: they are handed out in this order.
        int each = a->Slivers / a->MBlocks, more = a->Slivers % a->MBlocks;
        int first = (mBlock * each) + Math.Min(mBlock, more);
        int row0 = first * R.Rows, rows = Math.Min((each + (mBlock < more ? 1 : 0)) * R.Rows, a->M - row0);
        float* packedA = a->PackedA + (worker * a->PackedALength);
        PackA(a, row0, rows, packedA);
        float* tiles = packedA + ((long)a->SliversPerBlock * R.Rows * a->Ks);
        PackA(a, row0, rows, packedA);
        for (int panel = (int)Tiling.Start(a->Panels, a->NBlocks, nBlock), end = (int)Tiling.Start(a->Panels, a->NBlocks, nBlock + 1); panel < end; panel++)
        {
            Panel(a, panel, row0, rows, packedA, tiles);
        }
    }

    private static void PackA(GemmArguments* a, int row0, int rows, float* target)
    {
        for (int row = 0; row < rows; row += R.Rows, target += (long)R.Rows * a->Ks)
        {
            int count = Math.Min(R.Rows, rows - row);
            if (a->TransposeA)
            {
                Packing.Copy(a->A + row0 + row, a->Lda, count, a->Ks, target, R.Rows);
            }
            else
            {
                Packing.Interleave(a->A + ((long)(row0 + row) * a->Lda), a->Lda, count, a->Ks, target, R.Rows);
            }
        }
    }

    // One panel against all slivers of the block, a K block at a time. Sums gather in tiles of their own: rows of C may lie a multiple of 4096 bytes
    // apart, where they would push each other out of L1.
    private static void Panel(GemmArguments* a, int panel, int row0, int rows, float* packedA, float* tiles)
    {
        int mr = R.Rows, nr = Nr, ks = a->Ks;
        float* packedB = a->PackedB + ((long)panel * nr * ks);
        int column = panel * nr, columns = Math.Min(nr, a->N - column);
        int k = 0;
        do
        {
            int kc = Math.Min(a->Kc, ks - k);
            float* sliver = packedA + ((long)k * mr), tile = tiles;
            for (int row = 0; row < rows; row += mr, sliver += (long)mr * ks, tile += mr * nr)
            {
                R.Multiply<S, V>(kc, sliver, packedB + ((long)k * nr), tile, k > 0);
                if (k + kc >= ks)
                {
                    GemmEpilogue<S, V>.Apply(a, tile, ((long)(row0 + row) * a->Ldc) + column, column, Math.Min(mr, rows - row), columns);
                }
            }

            k += kc;
        }
        while (k < ks);
    }
}
