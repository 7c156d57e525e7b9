using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention;

/// <summary>
/// Every choice of an attention: the tiles of each device, and what goes to the tensor cores. The kernels' inner loops are written out for the tiles
/// of a GPU and for the rows of a block on the CPU.
/// </summary>
internal static class AttentionPlan
{
    /// <summary>Queries of a forward tile on the CPU: a multiple of the product's six rows and of two vectors of any width.</summary>
    internal const int CpuForwardTile = 96;

    /// <summary>Queries or keys of a backward tile on the CPU: as many as fit into the scratch memory with 64 components.</summary>
    internal const int CpuBackwardTile = 64;

    /// <summary>Tokens of the other side that a tile meets at a time on the CPU: whole blocks of the product's six rows.</summary>
    internal const int CpuWalk = 72;

    /// <summary>Rows of a block of the CPU's products: six rows times two vectors are 12 registers of 16.</summary>
    internal const int CpuBlockRows = 6;

    /// <summary>Floats that a tile takes from the stack on the CPU at most (144 KB); heads far beyond the usual take native memory.</summary>
    internal const int CpuStackFloats = 36 * 1024;

    /// <summary>Own tokens of a portable GPU tile, four threads each.</summary>
    internal const int GpuRows = 32;

    /// <summary>Own tokens of a portable GPU tile where there are no more.</summary>
    internal const int GpuFewRows = 16;

    /// <summary>Threads of a portable GPU tile for each own token.</summary>
    internal const int GpuThreadsPerRow = 4;

    /// <summary>Tokens of the other side that a portable GPU tile meets at a time.</summary>
    internal const int GpuWalk = 32;

    /// <summary>Components of a head that a portable GPU tile holds at a time, and columns of its output.</summary>
    internal const int GpuColumns = 64;

    /// <summary>Rows of dOut * o that a portable GPU group sums, 16 threads each.</summary>
    internal const int GpuDeltaRows = 8;

    /// <summary>Components of a head that the tensor-core kernels are made for.</summary>
    internal const int TensorCoreHeadDim = 64;

    /// <summary>Own tokens of a tile of the tensor cores, a warp's worth each for four warps.</summary>
    internal const int TensorCoreRows = 64;

    /// <summary>Own tokens of a warp of the tensor cores: the rows of one mma.</summary>
    internal const int TensorCoreWarpRows = 16;

    /// <summary>Tokens of the other side that a warp of the tensor cores multiplies at a time.</summary>
    internal const int TensorCoreWalk = 32;

    /// <summary>Groups of the tensor cores that should fit a multiprocessor at once.</summary>
    internal const int TensorCoreGroups = 2;

    /// <summary>Threads of a group that sums dOut * o for the tensor cores, eight a row.</summary>
    internal const int TensorCoreDeltaThreads = 256;

    /// <summary>Tiles that some rows are cut into.</summary>
    internal static int Tiles(int rows, int tile) => (rows + tile - 1) / tile;

    /// <summary>
    /// Whether a backward on the CPU takes one task a head, which needs 5 products of each pair of tiles, rather than tiles of queries and of keys on
    /// their own, which need 7 but keep more threads busy. Both add the same numbers in the same order, so the choice does not show in the results.
    /// </summary>
    internal static bool WholeHeads(int heads, int threads) => 5L * Tiles(heads, threads) * threads <= 7L * heads;

    /// <summary>
    /// Own tokens of a portable GPU tile: 32, or 16 where that is all there are (windows of 4 x 4 tokens, few classes, short texts).
    /// </summary>
    internal static int GpuTileRows(int tokens) => tokens <= GpuFewRows ? GpuFewRows : GpuRows;

    /// <summary>
    /// Whether an attention goes to the tensor cores, whose grids have a place for each picture and head: not that of texts, which is causal. A
    /// class name has nine tokens, and the error would be in its embedding for every pixel.
    /// </summary>
    internal static bool TakesTensorCores(Precision precision, in AttentionSizes sizes, params ReadOnlySpan<TokenRows> written) =>
        precision.HalfType() is not null
        && sizes is { HeadDim: TensorCoreHeadDim, Scale: > 0, Causal: false, Batch: <= GpuSizes.MaxGrid, Heads: <= GpuSizes.MaxGrid }
        && HavePairs(written);

    /// <summary>Whether rows lie as the tensor-core kernels want what they write: they store two floats at a time.</summary>
    internal static bool HavePairs(ReadOnlySpan<TokenRows> written)
    {
        foreach (var rows in written)
        {
            if ((rows.Data.Offset | rows.BatchStride | (uint)rows.RowStride) % 2 != 0)
            {
                return false;
            }
        }

        return true;
    }
}
