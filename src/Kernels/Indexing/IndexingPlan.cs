namespace Ldvc.Kernels.Indexing;

/// <summary>Every choice of selection by index. On the CPU, selected slices are shared out by their length alone (<see cref="Tiling"/>).</summary>
internal static class IndexingPlan
{
    /// <summary>Columns of a slice that a task adds together on the CPU: a cache line or more.</summary>
    internal const int CpuColumns = 32;

    /// <summary>Threads of a GPU's group.</summary>
    internal const int GpuThreads = 256;

    /// <summary>Tasks that the columns of slices are cut into.</summary>
    internal static int CpuTiles(int columns) => (columns + CpuColumns - 1) / CpuColumns;
}
