using System.Runtime.Intrinsics.X86;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>
/// The tiles of one group of K blocks: packing B, and one block of A's slivers against a range of B's panels. Last is the kernel of a block's last
/// rows.
/// </summary>
internal static unsafe class GemmTiles<S, V, R, TLast>
    where S : ISimd<V>
    where V : struct
    where R : IRowBlock
    where TLast : IRowBlock
{
    private static int Nr => 2 * S.Count;

    /// <summary>Packs a share of the panels: panel j holds columns j*NR.., for each k NR values side by side, zeros past N.</summary>
    internal static void PackB(GemmArguments* a, int tile, int worker)
    {
        int nr = Nr, ks = a->Ks;
        for (int panel = (int)Tiling.Start(a->PanelCount, a->PackTiles, tile),
            end = (int)Tiling.Start(a->PanelCount, a->PackTiles, tile + 1); panel < end; panel++)
        {
            PackPanel(a, panel, a->PackedB + ((long)panel * nr * ks));
        }
    }

    /// <summary>Multiplies one block of A with a range of panels.</summary>
    internal static void Block(GemmArguments* a, int tile, int worker)
    {
        int mBlock = tile / a->NBlocks, nBlock = tile % a->NBlocks;

        // The larger blocks come first: they are handed out in this order.
        int each = a->Slivers / a->MBlocks, more = a->Slivers % a->MBlocks;
        int first = (mBlock * each) + Math.Min(mBlock, more);
        int row0 = first * R.Rows, rows = Math.Min((each + (mBlock < more ? 1 : 0)) * R.Rows, a->M - row0);
        var block = new RowsOfA(a, row0, rows, a->Scratch + (worker * a->ScratchLength));
        for (int panel = (int)Tiling.Start(a->PanelCount, a->NBlocks, nBlock),
            end = (int)Tiling.Start(a->PanelCount, a->NBlocks, nBlock + 1); panel < end; panel++)
        {
            float* b = a->Panel(panel, Nr);
            if (a->PackInBlock)
            {
                // Where one block holds all rows, nobody else needs the panel: it is packed into the core's own cache just before its only use.
                b = block.Tiles + ((long)a->SliversPerBlock * R.Rows * Nr);
                PackPanel(a, panel, b);
            }

            Panel(a, panel, b, block);
        }
    }

    private static void PackPanel(GemmArguments* a, int panel, float* target)
    {
        int nr = Nr, ks = a->Ks, column = panel * nr, columns = Math.Min(nr, a->N - column);
        if (a->KeptPanels)
        {
            Packing.FromPanels(a->B, a->Ldb, a->K0, ks, column, columns, target, nr);
        }
        else if (a->TransposeB)
        {
            Packing.Interleave(a->B + a->K0 + ((long)column * a->Ldb), a->Ldb, columns, ks, target, nr);
        }
        else
        {
            Packing.Copy(a->B + ((long)a->K0 * a->Ldb) + column, a->Ldb, columns, ks, target, nr);
        }
    }

    // One panel against all slivers of the block, a K block at a time. Sums gather in tiles of their own: rows of C may lie a multiple of 4096 bytes
    // apart, where they would push each other out of L1.
    private static void Panel(GemmArguments* a, int panel, float* b, in RowsOfA block)
    {
        int mr = R.Rows, nr = Nr, ks = a->Ks, width = a->PanelWidth, rows = block.Rows;
        int column = panel * nr, columns = Math.Min(nr, a->N - column), slivers = (rows + mr - 1) / mr;
        int k = 0;
        do
        {
            int kc = Math.Min(a->Kc, ks - k);
            bool last = k + kc >= ks;

            // The K block that comes next is fetched while this one is in use, a share before each sliver: nobody else knows where it lies.
            float* next = last ? a->Panel(panel + 1, nr) : b + ((long)kc * width);
            int share = (kc * width / 16 / slivers) + 1;
            float* sliver = block.Whole + (k * block.Step), tile = block.Tiles;
            for (int row = 0; row < rows; row += mr, sliver += block.Stride, tile += mr * nr)
            {
                Fetch(next, share);
                next += share * 16;
                int count = Math.Min(mr, rows - row), skip = 0;
                if (count == mr)
                {
                    R.Multiply<S, V>(kc, sliver, block.RowStep, block.Step, b, width, tile, k > 0);
                }
                else
                {
                    float* rest = block.Rest + (k * block.RestStep);
                    if (block.RestRows == mr)
                    {
                        R.Multiply<S, V>(kc, rest, block.RestRow, block.RestStep, b, width, tile, k > 0);
                    }
                    else
                    {
                        TLast.Multiply<S, V>(kc, rest, block.RestRow, block.RestStep, b, width, tile, k > 0);
                    }

                    skip = block.RestSkipped;
                }

                if (last)
                {
                    GemmEpilogue<S, V>.Apply(a, tile + (skip * nr), ((long)(block.Row0 + row) * a->Ldc) + column, column, count, columns);
                }
            }

            b += (long)kc * width;
            k += kc;
        }
        while (k < ks);
    }

    private static void Fetch(float* address, int lines)
    {
        if (Sse.IsSupported)
        {
            for (int i = 0; i < lines; i++, address += 16)
            {
                Sse.Prefetch0(address);
            }
        }
    }

    /// <summary>
    /// A block of A as the micro-kernel reads it: in place where rows run along K, packed otherwise. The rows that fill no sliver are taken together
    /// with rows before them, whose results are thrown away; they are packed where there are none.
    /// </summary>
    private readonly struct RowsOfA
    {
        internal RowsOfA(GemmArguments* a, int row0, int rows, float* scratch)
        {
            int mr = R.Rows, ks = a->Ks, whole = rows / mr, left = rows % mr;
            (Row0, Rows) = (row0, rows);
            if (a->PackA)
            {
                Whole = scratch;
                (Stride, RowStep, Step) = ((nint)mr * ks, 1, mr);
                for (int i = 0; i < whole; i++, scratch += (long)mr * ks)
                {
                    Pack(a, row0 + (i * mr), mr, mr, scratch);
                }
            }
            else
            {
                Whole = a->A + ((long)row0 * a->Lda);
                (Stride, RowStep, Step) = ((nint)mr * a->Lda, a->Lda, 1);
            }

            if (left > 0)
            {
                RestRows = left > TLast.Rows ? mr : TLast.Rows;
                if (a->PackA || row0 + rows < RestRows)
                {
                    Rest = scratch;
                    (RestRow, RestStep) = (1, RestRows);
                    Pack(a, row0 + (whole * mr), left, RestRows, scratch);
                    scratch += (long)mr * ks;
                }
                else
                {
                    Rest = a->A + ((long)(row0 + rows - RestRows) * a->Lda);
                    (RestRow, RestStep, RestSkipped) = (a->Lda, 1, RestRows - left);
                }
            }

            Tiles = scratch;
        }

        internal int Row0 { get; }

        internal int Rows { get; }

        /// <summary>First whole sliver; the next is Stride later, the next row RowStep, the next k Step.</summary>
        internal float* Whole { get; }

        internal nint Stride { get; }

        internal nint RowStep { get; }

        internal nint Step { get; }

        /// <summary>The last rows, RestRows of them, the first RestSkipped of which belong to others.</summary>
        internal float* Rest { get; }

        internal nint RestRow { get; }

        internal nint RestStep { get; }

        internal int RestRows { get; }

        internal int RestSkipped { get; }

        internal float* Tiles { get; }

        private static void Pack(GemmArguments* a, int row, int count, int width, float* target)
        {
            if (a->TransposeA)
            {
                Packing.Copy(a->A + row, a->Lda, count, a->Ks, target, width);
            }
            else
            {
                Packing.Interleave(a->A + ((long)row * a->Lda), a->Lda, count, a->Ks, target, width);
            }
        }
    }
}
