using Ldvc.Kernels.Gpu;

namespace Ldvc.Kernels.Reduction;

/// <summary>Every choice of the reductions: how sums are cut, from sizes alone, and in which blocks they are added in which precision.</summary>
internal static class ReductionPlan
{
    /// <summary>Columns that a task walks down together on the CPU.</summary>
    internal const int CpuColumns = 64;

    /// <summary>Tiles of a whole tensor on the CPU at most: their results lie on the stack.</summary>
    internal const int CpuMaxTiles = 256;

    /// <summary>Floats of a row that the CPU sums in float32, four vectors side by side, before they join the sum in double precision.</summary>
    internal const int CpuRowBlock = 2048;

    /// <summary>Rows whose columns the CPU sums in float32 before they join the columns' sums in double precision.</summary>
    internal const int CpuColumnBlock = 256;

    /// <summary>Threads of a GPU's group.</summary>
    internal const int GpuThreads = 256;

    /// <summary>Groups of a GPU that reduce a whole tensor at most: the host combines their results.</summary>
    internal const int GpuMaxGroups = 256;

    // Elements of a thread in such a group.
    private const int GpuElementsPerThread = 8;

    // Columns of a group that reduces an axis, as a logarithm: 32, a warp's.
    private const int MaxColumnBits = 5;

    // Groups that fill a large card, elements of a thread that are worth a second launch, and parts of an axis at most.
    private const int ManyGroups = 512;
    private const int MinPerThread = 8;
    private const int MaxParts = 256;

    /// <summary>Groups that reduce a whole tensor on a GPU.</summary>
    internal static int GpuGroups(long count) => (int)Math.Clamp(count / (GpuThreads * GpuElementsPerThread), 1, GpuMaxGroups);

    /// <summary>Logarithm of the columns of a group that reduces an axis of [outer, length, inner] on a GPU.</summary>
    internal static int GpuColumnBits(int inner)
    {
        int bits = 0;
        while (bits < MaxColumnBits && 1 << bits < inner)
        {
            bits++;
        }

        return bits;
    }

    /// <summary>Elements of the axis that each group takes when a launch has so many: all, or a part where results are few and long.</summary>
    internal static int GpuPart(int length, int columnBits, int groups)
    {
        int parts = (int)Math.Clamp(
            Math.Min((long)length * (1 << columnBits) / (GpuThreads * MinPerThread), ManyGroups / Math.Max(1, groups)), 1, MaxParts);
        return Math.Max(1, GpuSizes.Groups(length, parts));
    }
}
