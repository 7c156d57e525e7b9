using Ldvc.Tensors;

namespace Ldvc.Kernels.Gpu;

/// <summary>Sizes that kernels index with 32 bits.</summary>
internal static class GpuSizes
{
    /// <summary>Groups along the second and the third dimension of a grid: CUDA's limit.</summary>
    internal const int MaxGrid = ushort.MaxValue;

    /// <summary>An element count as an int.</summary>
    /// <exception cref="ArgumentException">It is 2^31 or more.</exception>
    internal static int Index(long count, GpuKernel kernel) =>
        count is >= 0 and <= int.MaxValue ? (int)count : throw new ExtentException($"kernel {kernel}: {count} elements, expected fewer than 2^31");

    /// <summary>Whether offsets, strides and lengths in floats are all multiples of 16 bytes, so that kernels may move four floats at once.</summary>
    internal static bool CanPack(params ReadOnlySpan<long> values)
    {
        long all = 0;
        foreach (long value in values)
        {
            all |= value;
        }

        return all % 4 == 0;
    }

    /// <summary>Quotient rounded up.</summary>
    internal static int Groups(long items, int each) => checked((int)((items + each - 1) / each));
}
