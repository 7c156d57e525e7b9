using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>Native memory, aligned to 64 bytes (a cache line, and one 512-bit vector).</summary>
internal sealed unsafe class CpuStorage : Storage
{
    // All bits set: NaN as a float, -1 as an integer. What is read beyond a block spoils the result.
    private const byte Guard = 0xFF;

    private readonly bool _watched;

    internal CpuStorage(CpuDevice device, long bytes, bool watched = false)
        : base(device, bytes)
    {
        _watched = watched;
        if (!watched)
        {
            Pointer = (byte*)CpuMemory.Allocate(bytes);
            return;
        }

        byte* all = (byte*)CpuMemory.Allocate(bytes + (2 * CpuMemory.Alignment));
        NativeMemory.Fill(all, (nuint)(bytes + (2 * CpuMemory.Alignment)), Guard);
        Pointer = all + CpuMemory.Alignment;
    }

    internal byte* Pointer { get; private set; }

    internal override void Free()
    {
        NativeMemory.AlignedFree(_watched && Pointer != null ? Pointer - CpuMemory.Alignment : Pointer);
        Pointer = null;
    }

    internal override void CheckSurroundings()
    {
        if (!_watched)
        {
            return;
        }

        var before = new ReadOnlySpan<byte>(Pointer - CpuMemory.Alignment, CpuMemory.Alignment);
        var behind = new ReadOnlySpan<byte>(Pointer + Bytes, CpuMemory.Alignment);
        if (before.ContainsAnyExcept(Guard) || behind.ContainsAnyExcept(Guard))
        {
            bool first = before.ContainsAnyExcept(Guard);
            int at = first ? before.LastIndexOfAnyExcept(Guard) - CpuMemory.Alignment : behind.IndexOfAnyExcept(Guard);
            NativeMemory.Fill(Pointer - CpuMemory.Alignment, CpuMemory.Alignment, Guard);
            NativeMemory.Fill(Pointer + Bytes, CpuMemory.Alignment, Guard);
            throw new InvalidOperationException(
                $"memory {(first ? "before" : "behind")} a block of {Bytes} bytes was written to, at byte {(first ? at : Bytes + at)}");
        }
    }

    internal override void Spoil()
    {
        if (_watched)
        {
            NativeMemory.Fill(Pointer, (nuint)Bytes, Guard);
        }
    }
}
