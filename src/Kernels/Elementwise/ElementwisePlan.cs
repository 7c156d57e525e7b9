using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Elementwise;

/// <summary>
/// Every choice of the element-wise kernels: elements are shared out by their number alone (on the CPU by <see cref="Tiling"/>), sums of columns are
/// cut by the sizes of the matrix. Nothing depends on the device, so the order of a sum does not.
/// </summary>
internal static class ElementwisePlan
{
    /// <summary>Columns that one task sums over all rows on the CPU.</summary>
    internal const int CpuColumns = 64;

    /// <summary>Threads of a GPU's group.</summary>
    internal const int GpuThreads = 256;

    /// <summary>Elements that a GPU's group sums for the gradient of an exponent: eight a thread.</summary>
    internal const int GpuExponentElements = 8 * GpuThreads;

    /// <summary>Columns of a GPU's group that sums a slab of rows: a warp reads 128 bytes of one row.</summary>
    internal const int GpuColumns = 32;

    // Columns of a group that sums all rows: a warp reads four rows at a time.
    private const int GpuFewColumns = 8;

    // Rows that are summed in one pass, 64 for each thread: starting a second kernel would take longer.
    private const int MaxRowsAtOnce = 2048;

    // Rows that are worth a slab, and slabs at most.
    private const int MinSlabRows = 64;
    private const int MaxSlabs = 64;

    // Groups that fill a large device.
    private const int ManyGroups = 512;

    /// <summary>Tasks that sums of columns are cut into on the CPU.</summary>
    internal static int CpuColumnTiles(int columns) => (columns + CpuColumns - 1) / CpuColumns;

    /// <summary>Whether a GPU sums columns in one pass.</summary>
    internal static bool SumsAtOnce(int rows) => rows <= MaxRowsAtOnce;

    /// <summary>
    /// Columns of a GPU's group that sums so many rows in one pass: few where there are many rows, which then are shared out among more threads.
    /// </summary>
    internal static int ColumnsAtOnce(int rows) => rows > GpuColumns ? GpuFewColumns : GpuColumns;

    /// <summary>The first of two passes of column sums on a GPU: groups across, slabs of rows, and rows a slab.</summary>
    internal static (int Across, int Slabs, int RowsPerGroup) Slabs(int rows, int columns)
    {
        int across = GpuSizes.Groups(columns, GpuColumns);
        int slabs = Math.Clamp(Math.Min(rows / MinSlabRows, ManyGroups / across), 1, MaxSlabs);
        int rowsPerGroup = Math.Max(1, GpuSizes.Groups(rows, slabs));
        return (across, Math.Max(1, GpuSizes.Groups(rows, rowsPerGroup)), rowsPerGroup);
    }
}
