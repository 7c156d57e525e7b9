using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Tokens;

/// <summary>Every choice of token movement. On the CPU, blocks are shared out by their length alone (<see cref="Tiling"/>).</summary>
internal static class TokensPlan
{
    // Columns of a table that are worth a task of sums on the CPU.
    private const int CpuScatterColumns = 32;

    /// <summary>Threads of a GPU's group.</summary>
    internal const int GpuThreads = 256;

    /// <summary>Packs of a sum that a GPU's group makes: its threads are so many columns, in rows that share the blocks out.</summary>
    internal const int GpuSumColumns = 8;

    /// <summary>Packs of each token that a GPU's group takes the mean off, likewise.</summary>
    internal const int GpuMeanColumns = 8;

    // Groups that fill a large card: each joins a largest value in the same word.
    private const int ScaleGroups = 1024;

    /// <summary>Groups of a launch that also finds the scale of what it writes.</summary>
    internal static int GpuScaleGroups(int items) => Math.Clamp(GpuSizes.Groups(items, GpuThreads), 1, ScaleGroups);

    /// <summary>Tasks that the columns of a table are added in on the CPU: each adds all rows, in their order.</summary>
    internal static int CpuScatterTiles(int columns) => Math.Max(1, columns / CpuScatterColumns);
}
