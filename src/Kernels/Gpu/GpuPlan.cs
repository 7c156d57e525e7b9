namespace Ldvc.Kernels.Gpu;

/// <summary>The choices of what families share on a GPU. Each family's own are in its plan.</summary>
internal static class GpuPlan
{
    /// <summary>Threads of a group of the kernels that round matrices to 16 bits and widen them, a chunk a thread.</summary>
    internal const int Threads = 256;

    /// <summary>Elements that one group treats of a tensor in a <see cref="GpuTensorTable"/>: 256 threads, four accesses of 16 bytes each.</summary>
    internal const int TableElements = 4096;

    /// <summary>Threads that sum a share each in <see cref="GroupReduction"/>, before every thread sums what they found.</summary>
    internal const int ReductionParts = 16;
}
