using ILGPU.Runtime;

namespace Ldvc.Tensors.Gpu;

/// <summary>
/// Cuts blocks out of a few big buffers: an allocation of the driver costs tens of microseconds and stops the device, and the pool above asks for
/// hundreds of blocks. Buffers grow as needed; one that is empty goes back to the driver before memory is reported as full.
/// </summary>
internal sealed class GpuArena : IDisposable
{
    // Vector loads need 16 bytes, full-speed coalescing 128; 256 is what the drivers align to themselves.
    private const long Alignment = 256;

    private readonly GpuDevice _device;
    private readonly Accelerator _accelerator;
    private readonly long _chunkBytes;
    private readonly long _limit;
    private readonly List<GpuChunk?> _chunks = [];
    private readonly Lock _lock = new();

    internal GpuArena(GpuDevice device, Accelerator accelerator, long chunkBytes, long limit)
    {
        (_device, _accelerator, _chunkBytes, _limit) = (device, accelerator, chunkBytes, limit);
    }

    /// <summary>Bytes of all buffers.</summary>
    internal long ChunkBytes { get; private set; }

    /// <summary>The buffers; a place is null after its buffer went back.</summary>
    internal IReadOnlyList<GpuChunk?> Chunks => _chunks;

    internal GpuStorage Allocate(long bytes)
    {
        if (bytes > long.MaxValue - Alignment)
        {
            throw new DeviceMemoryException("no device has that much");
        }

        long size = Align(bytes);
        lock (_lock)
        {
            foreach (var chunk in _chunks)
            {
                if (chunk?.Take(size) is long start and >= 0)
                {
                    return new GpuStorage(_device, this, chunk, start, bytes);
                }
            }

            var added = Grow(size);
            return new GpuStorage(_device, this, added, added.Take(size), bytes);
        }
    }

    internal void Free(GpuChunk chunk, long start, long bytes)
    {
        lock (_lock)
        {
            chunk.Return(start, Align(bytes));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var chunk in _chunks)
        {
            chunk?.Buffer.Dispose();
        }

        _chunks.Clear();
    }

    private static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private GpuChunk Grow(long size)
    {
        _device.Capture?.Refuse($"the device is asked for {Text(size)} of memory", size);

        // A request that would fill most of a usual buffer gets one of its own.
        long bytes = size > _chunkBytes / 2 ? size : _chunkBytes;
        if (bytes > _limit - ChunkBytes)
        {
            ReleaseEmpty();
            bytes = Math.Max(size, Math.Min(bytes, (_limit - ChunkBytes) / Alignment * Alignment));
        }

        if (bytes > _limit - ChunkBytes)
        {
            throw new DeviceMemoryException($"{Text(_limit - ChunkBytes)} free of {Text(_limit)}");
        }

        try
        {
            return Add(bytes);
        }
        catch (Exception e) when (GpuFault.IsOutOfMemory(e))
        {
            ReleaseEmpty();
        }

        try
        {
            return Add(size);
        }
        catch (Exception e) when (GpuFault.IsOutOfMemory(e))
        {
            throw new DeviceMemoryException(
                $"{Text(ChunkBytes)} taken so far, {Text(_accelerator.MemorySize)} on the device, and the driver has no more", e);
        }
    }

    private GpuChunk Add(long bytes)
    {
        var buffer = _accelerator.Allocate1D<byte>(bytes);
        int place = _chunks.IndexOf(null);
        var chunk = new GpuChunk(buffer, place < 0 ? _chunks.Count : place);
        if (place < 0)
        {
            _chunks.Add(chunk);
        }
        else
        {
            _chunks[place] = chunk;
        }

        ChunkBytes += bytes;
        _device.Counters.CountBuffer();
        return chunk;
    }

    private void ReleaseEmpty()
    {
        for (int i = 0; i < _chunks.Count; i++)
        {
            if (_chunks[i] is { IsEmpty: true } chunk)
            {
                ChunkBytes -= chunk.Bytes;
                chunk.Buffer.Dispose();
                _chunks[i] = null;
            }
        }
    }

    private static string Text(long bytes) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024.0):0.##} MiB");
}
