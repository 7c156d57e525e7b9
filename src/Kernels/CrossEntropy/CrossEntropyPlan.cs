namespace Ldvc.Kernels.CrossEntropy;

/// <summary>Every choice of cross-entropy. On the CPU, rows are shared out by their length alone (<see cref="Tiling"/>).</summary>
internal static class CrossEntropyPlan
{
    /// <summary>Threads of a GPU's group: they share one row, or all rows in the mean; in the backward each has one element.</summary>
    internal const int GpuThreads = 128;
}
