using Ldvc.Kernels.Gpu;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Attention;

/// <summary>Every choice of an attention: the tiles of each device, and what goes to the tensor cores.</summary>
internal static class AttentionPlan
{
    /// <summary>Components of a head that the tensor-core kernels are made for.</summary>
    internal const int TensorCoreHeadDim = 64;

    /// <summary>Queries of a forward tile on the CPU: a multiple of the product's six rows and of two vectors of any width.</summary>
    internal const int CpuForwardTile = 96;

    /// <summary>Queries or keys of a backward tile on the CPU: as many as fit into the scratch memory with 64 components.</summary>
    internal const int CpuBackwardTile = 64;

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
    internal static int GpuTileRows(int tokens) => tokens <= 16 ? 16 : 32;

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
