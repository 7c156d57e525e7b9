namespace Ldvc.Kernels.Gpu;

/// <summary>Sizes that kernels index with 32 bits.</summary>
internal static class GpuSizes
{
    /// <summary>An element count as an int.</summary>
    /// <exception cref="ArgumentException">It is 2^31 or more.</exception>
    internal static int Index(long count, GpuKernel kernel) =>
        count is >= 0 and <= int.MaxValue ? (int)count : throw new ArgumentException($"kernel {kernel}: {count} elements, expected fewer than 2^31");

    /// <summary>Quotient rounded up.</summary>
    internal static int Groups(long items, int each) => checked((int)((items + each - 1) / each));
}
