using ILGPU;

namespace Ldvc.Tensors.Gpu;

/// <summary>A region of one of the arena's big buffers.</summary>
internal sealed class GpuStorage : Storage
{
    private readonly GpuArena _arena;

    internal GpuStorage(GpuDevice device, GpuArena arena, GpuChunk chunk, long byteOffset, long bytes)
        : base(device, bytes)
    {
        (_arena, Chunk, ByteOffset, Gpu) = (arena, chunk, byteOffset, device);
        Memory = chunk.Memory.SubView(byteOffset, bytes);
    }

    /// <summary>The device.</summary>
    internal GpuDevice Gpu { get; }

    /// <summary>The big buffer.</summary>
    internal GpuChunk Chunk { get; }

    /// <summary>Where the region starts in it.</summary>
    internal long ByteOffset { get; }

    // Buffers are numbered, and none has 2^44 bytes.
    internal override long Address => ((long)Chunk.Index << 44) | ByteOffset;

    /// <summary>The whole region.</summary>
    internal ArrayView<byte> Memory { get; }

    /// <summary>The region from an element on, which must lie inside.</summary>
    internal unsafe ArrayView<T> Elements<T>(long offset)
        where T : unmanaged
    {
        // Kernels index with 32 bits; blocks are rounded up, so this is checked on what can be reached, not on what a tensor uses.
        long first = offset * sizeof(T), count = (Bytes - first) / sizeof(T);
        return Memory.SubView(first, count * sizeof(T)).Cast<T>();
    }

    internal override void Free() => _arena.Free(Chunk, ByteOffset, Bytes);
}
