namespace Ldvc.Kernels;

/// <summary>Splits rows of memory-bound work into tiles that are large enough to pay for a hand-out and small enough to balance.</summary>
internal static class Tiling
{
    private const long FloatsPerTile = 16 * 1024;

    /// <summary>Number of tiles for rows of a given length; depends on the sizes only, never on the number of threads.</summary>
    internal static int Count(long rows, long columns) => (int)Math.Clamp(rows * columns / FloatsPerTile, 1, Math.Max(1, Math.Min(rows, 256)));

    /// <summary>
    /// Rows that are added one after the other in float32: from 2^24 on, ones would no longer count. Sums over more are sums of such blocks.
    /// </summary>
    internal const int SumBlock = 1 << 20;

    /// <summary>Where the block that begins at `first` ends, of so many rows.</summary>
    internal static int BlockEnd(int first, int rows) => rows - first <= SumBlock ? rows : first + SumBlock;

    /// <summary>First row of a tile.</summary>
    internal static long Start(long rows, int tiles, int tile) => rows * tile / tiles;
}
