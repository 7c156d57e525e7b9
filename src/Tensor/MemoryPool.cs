namespace Ldvc.Tensors;

/// <summary>
/// Keeps freed blocks for reuse, by size class, and counts what is alive. A training step asks for the same sizes again and again, so after the
/// first step nothing is allocated. Sizes are rounded up to an eighth of their power of two: at most 12.5 % is wasted.
/// </summary>
public sealed class MemoryPool
{
    private readonly Device _device;
    private readonly Dictionary<long, Stack<Storage>> _free = [];
    private readonly Lock _lock = new();
    private bool _closed;

    internal MemoryPool(Device device)
    {
        _device = device;
    }

    /// <summary>Bytes in blocks that tensors hold now.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>Blocks that tensors hold now: the leak check compares it before and after.</summary>
    public long LiveBlocks { get; private set; }

    /// <summary>The highest <see cref="LiveBytes"/> since the last <see cref="ResetPeak"/>.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Bytes taken from the device, in use or kept for reuse.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>How often the device itself had to be asked for memory.</summary>
    public long DeviceAllocations { get; private set; }

    /// <summary>Starts a new peak measurement.</summary>
    public void ResetPeak()
    {
        lock (_lock)
        {
            PeakBytes = LiveBytes;
        }
    }

    /// <summary>Gives every kept block back to the device.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            FreeKept();
        }
    }

    /// <summary>Gives every kept block back and keeps none from here on: what tensors still hold goes back as they are disposed of.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _closed = true;
            FreeKept();
        }
    }

    /// <summary>A block of at least so many bytes.</summary>
    /// <exception cref="DeviceMemoryException">The device has no more.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed of.</exception>
    internal Storage Rent(long bytes)
    {
        long size = _device.ExactBlocks ? bytes : SizeClass(bytes);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, _device);
            Storage block;
            if (_free.TryGetValue(size, out var stack) && stack.Count > 0)
            {
                block = stack.Pop();
            }
            else
            {
                try
                {
                    block = _device.AllocateBlock(size);
                }
                catch (DeviceMemoryException) when (_free.Count > 0)
                {
                    // Blocks kept in other size classes can be cut anew.
                    FreeKept();
                    block = _device.AllocateBlock(size);
                }

                ReservedBytes += size;
                DeviceAllocations++;
            }

            LiveBytes += size;
            LiveBlocks++;
            PeakBytes = Math.Max(PeakBytes, LiveBytes);
            block.Retain();
            block.Spoil();
            return block;
        }
    }

    internal void Return(Storage block)
    {
        lock (_lock)
        {
            LiveBytes -= block.Bytes;
            LiveBlocks--;
            block.CheckSurroundings();
            if (_closed)
            {
                ReservedBytes -= block.Bytes;
                block.Free();
                return;
            }

            if (!_free.TryGetValue(block.Bytes, out var stack))
            {
                _free.Add(block.Bytes, stack = new Stack<Storage>());
            }

            stack.Push(block);
        }
    }

    private void FreeKept()
    {
        foreach (var stack in _free.Values)
        {
            foreach (var block in stack)
            {
                ReservedBytes -= block.Bytes;
                block.Free();
            }
        }

        _free.Clear();
    }

    /// <summary>The size of the block for so many bytes.</summary>
    /// <exception cref="DeviceMemoryException">It cannot be said in 63 bits.</exception>
    internal static long SizeClass(long bytes)
    {
        const long smallest = 64;
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes <= 8 * smallest)
        {
            return Math.Max(1, (bytes + smallest - 1) / smallest) * smallest;
        }

        long step = 1L << (63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)(bytes - 1)) - 3);
        step = Math.Max(step, smallest);
        if (bytes > long.MaxValue - step)
        {
            throw new DeviceMemoryException("no device has that much");
        }

        return (bytes + step - 1) / step * step;
    }
}
