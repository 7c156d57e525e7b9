using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// How a product is cut on the CPU, in the manner of Goto: K into groups of blocks, B into panels, A into slivers of a few rows, C into blocks of
/// slivers by ranges of panels, which are the threads' tiles. No sum depends on the number of threads.
/// </summary>
internal readonly record struct CpuMatMulPlan
{
    /// <summary>Rows of a sliver with 32 registers: the micro-kernel's 12 x 2 vectors are written out.</summary>
    internal const int ManyRows = 12;

    /// <summary>Rows of a sliver with 16 registers, and of the last sliver in any case.</summary>
    internal const int FewRows = 6;

    // K block: one block of a B panel (256 x 32 floats) is 32 KiB, the usual size of an L1 cache; narrower vectors take half or a quarter.
    private const int MaxKc = 256;

    // K blocks of a group: C is read and written once a group.
    private const int MaxGroup = 4;

    // Floats of a block of A: 640 KiB, beside which B's panels still pass through a 1 MiB L2.
    private const int MaxBlock = 163840;

    // Tiles a thread gets where they cost nothing: a core that the machine slows down then leaves some to the others.
    private const int TilesPerThread = 4;

    // Floats of B that are worth a task of packing.
    private const int FloatsPerPackTask = 16384;

    private CpuMatMulPlan(in Gemm gemm, int rows, int width, int threads)
    {
        int kBlocks = Math.Max(1, (gemm.K + MaxKc - 1) / MaxKc);
        Kc = Math.Max(1, (gemm.K + kBlocks - 1) / kBlocks);
        Ks = Kc * Math.Min(kBlocks, MaxGroup);
        (Panels, Slivers) = ((gemm.N + width - 1) / width, (gemm.M + rows - 1) / rows);
        PackA = gemm.TransposeA;
        KeptPanels = gemm.KeptPanels && gemm.TransposeB;
        int maxSlivers = Math.Max(1, MaxBlock / (Ks * rows));
        (RowBlocks, ColumnBlocks) = PackA ? SplitPacked(Slivers, Panels, maxSlivers, threads) : Split(Slivers, Panels, maxSlivers, threads);
        SliversPerBlock = (Slivers + RowBlocks - 1) / RowBlocks;
        PackInBlock = !KeptPanels && RowBlocks == 1;
        PackTasks = Math.Min(Panels, Math.Max(1, (int)((long)Panels * width * Ks / FloatsPerPackTask)));
    }

    /// <summary>Steps of the sum in a K block.</summary>
    internal int Kc { get; }

    /// <summary>Steps of the sum in a group of K blocks.</summary>
    internal int Ks { get; }

    /// <summary>Panels that the columns of B are cut into.</summary>
    internal int Panels { get; }

    /// <summary>Slivers that the rows of A are cut into.</summary>
    internal int Slivers { get; }

    /// <summary>Slivers of the largest block of rows.</summary>
    internal int SliversPerBlock { get; }

    /// <summary>Blocks that the slivers are shared out in.</summary>
    internal int RowBlocks { get; }

    /// <summary>Ranges that the panels are shared out in.</summary>
    internal int ColumnBlocks { get; }

    /// <summary>A is packed; else it is read in place.</summary>
    internal bool PackA { get; }

    /// <summary>B is a frozen weight whose panels are kept.</summary>
    internal bool KeptPanels { get; }

    /// <summary>A panel is packed by the only block that needs it; else all are packed first, for all threads.</summary>
    internal bool PackInBlock { get; }

    /// <summary>Tasks of packing B.</summary>
    internal int PackTasks { get; }

    /// <summary>Whether vectors are the ones that come with 32 registers: those of 512 bits.</summary>
    internal static bool TakesManyRows(int lanes) => lanes == SimdLevel.MaxLanes;

    /// <summary>The plan of a product.</summary>
    /// <param name="gemm">The product, not empty.</param>
    /// <param name="rows">Rows of a sliver.</param>
    /// <param name="width">Columns of a panel.</param>
    /// <param name="threads">Threads of the team.</param>
    internal static CpuMatMulPlan For(in Gemm gemm, int rows, int width, int threads) => new(gemm, rows, width, threads);

    /// <summary>
    /// How to share the tiles out when A is read in place: a tile costs nothing but its product, so several a thread keep all busy to the end.
    /// </summary>
    private static (int Rows, int Columns) Split(int slivers, int panels, int maxSlivers, int threads)
    {
        int blocks = (slivers + maxSlivers - 1) / maxSlivers;
        if (threads == 1)
        {
            return (blocks, 1);
        }

        int columns = Math.Min(panels, threads * Math.Max(1, (TilesPerThread + blocks - 1) / blocks));
        return blocks * columns >= 2 * threads ? (blocks, columns) : (Math.Min(slivers, Math.Max(blocks, TilesPerThread * threads)), columns);
    }

    /// <summary>
    /// How to share the tiles out when tiles pack their rows of A: by rows, in a multiple of the team so that all threads end together; by columns
    /// too when the rows are too few or do not come out even (each column block packs A again).
    /// </summary>
    private static (int Rows, int Columns) SplitPacked(int slivers, int panels, int maxSlivers, int threads)
    {
        int blocks = (slivers + maxSlivers - 1) / maxSlivers;
        int perThread = (slivers + threads - 1) / threads;
        bool even = slivers >= 2 * threads && (perThread * threads) - slivers <= slivers / 40;
        if (threads == 1 || even || panels < threads)
        {
            return (Math.Min(slivers, (blocks + threads - 1) / threads * threads), 1);
        }

        return (blocks, panels % threads == 0 || panels < 4 * threads ? threads : 2 * threads);
    }
}
