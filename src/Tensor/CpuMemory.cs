using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>Native memory of the CPU: blocks of tensors and the buffers that kernels keep.</summary>
internal static unsafe class CpuMemory
{
    /// <summary>A cache line, and one 512-bit vector.</summary>
    internal const int Alignment = 64;

    // Tests make allocations of their own thread fail with it: real memory runs out too rarely, and then for everybody.
    [ThreadStatic]
    private static Func<long, bool>? t_refuses;

    /// <summary>When set, allocations of this thread for which it is true fail as if memory had run out.</summary>
    internal static Func<long, bool>? Refuses { get => t_refuses; set => t_refuses = value; }

    /// <summary>Aligned memory of undefined contents.</summary>
    /// <exception cref="OutOfMemoryException">The system gives no more.</exception>
    internal static void* Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (t_refuses is { } refuses && refuses(bytes))
        {
            throw new InsufficientMemoryException($"{bytes} bytes refused");
        }

        if (!LargePages.Suit(bytes))
        {
            return NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        }

        void* block = NativeMemory.AlignedAlloc((nuint)bytes, LargePages.Size);
        LargePages.Ask(block, bytes);
        return block;
    }

    /// <summary>The same for what kernels keep.</summary>
    /// <param name="bytes">Size.</param>
    /// <param name="what">What it is for.</param>
    /// <exception cref="InputException">The system gives no more.</exception>
    internal static void* AllocateScratch(long bytes, string what)
    {
        try
        {
            return Allocate(bytes);
        }
        catch (OutOfMemoryException e)
        {
            string wanted = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024.0):0.##} MiB");
            throw new InputException(
                $"cpu: out of memory for {what}, {wanted} wanted, the system gives no more; a smaller batch or picture may fit", e);
        }
    }
}
