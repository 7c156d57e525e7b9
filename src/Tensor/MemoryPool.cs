namespace Ldvc.Tensors;

/// <summary>
/// Keeps freed blocks for reuse, by size class, and counts what is alive. A training step asks for the same sizes again and again, so after the
/// first step nothing is allocated. Sizes are rounded up to an eighth of their power of two: at most 12.5 % is wasted. On a CPU, work whose sizes
/// change all the time (pictures of many sizes) does not keep a block of every size: beyond four times the most that was ever in use at once, blocks
/// of the size that was asked for longest ago go back to the system.
/// </summary>
public sealed class MemoryPool
{
    // Work that repeats has its blocks kept, whatever their sizes: one after the other they are seldom more than twice what is in use at once.
    private const int MaxReservedFactor = 4;

    // Too little to be worth the system's time.
    private const long MinReservedBytes = 256L << 20;

    // A size class exceeds what was asked for by less.
    private const double SizeClassExcess = 0.125;

    private readonly Device _device;
    private readonly Dictionary<long, FreeBlocks> _free = [];
    private readonly Lock _lock = new();
    private PoolHold? _open;
    private bool _closed;
    private long _highWaterBytes;
    private long _uses;

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

    /// <summary>
    /// Asked when the device has no more memory: gives holds back that are not needed at once, and says whether it did. It may be called in the
    /// middle of any allocation.
    /// </summary>
    internal Func<bool>? Reclaim { get; set; }

    /// <summary>A hold without blocks.</summary>
    internal PoolHold NewHold() => new(_device.OrdersBlocks);

    /// <summary>Blocks that are rented from here on belong to the hold.</summary>
    /// <exception cref="InvalidOperationException">Another one is open.</exception>
    internal void Open(PoolHold hold)
    {
        lock (_lock)
        {
            _open = _open is null && !hold.IsReleased
                ? hold
                : throw new InvalidOperationException("pool: expected no open hold, and one that was not released");
        }
    }

    /// <summary>Blocks that are rented from here on belong to nobody.</summary>
    internal void CloseHold()
    {
        lock (_lock)
        {
            _open = null;
        }
    }

    /// <summary>Puts a hold's blocks among the others.</summary>
    internal void Release(PoolHold hold)
    {
        lock (_lock)
        {
            foreach (var block in hold.Release())
            {
                Keep(block);
            }
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
            Storage block = _open?.Take(size) ?? Find(size) ?? Allocate(size);
            if (_open is not null && block.Hold is null)
            {
                block.Hold = _open;
                _open.Bytes += size;
            }

            LiveBytes += size;
            LiveBlocks++;
            PeakBytes = Math.Max(PeakBytes, LiveBytes);
            _highWaterBytes = Math.Max(_highWaterBytes, LiveBytes);
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
            if (block.Hold is { IsReleased: false } hold && !_closed)
            {
                hold.Add(block);
                return;
            }

            block.Hold = null;
            Keep(block);
        }
    }

    private Storage? Find(long size)
    {
        if (!_free.TryGetValue(size, out var blocks))
        {
            return null;
        }

        blocks.LastUse = ++_uses;
        return blocks.Take();
    }

    private void Keep(Storage block)
    {
        if (_closed)
        {
            ReservedBytes -= block.Bytes;
            block.Free();
            return;
        }

        if (!_free.TryGetValue(block.Bytes, out var blocks))
        {
            _free.Add(block.Bytes, blocks = new FreeBlocks(_device.OrdersBlocks));
        }

        blocks.LastUse = ++_uses;
        blocks.Add(block);
    }

    private Storage Allocate(long size)
    {
        if (_device.BoundsSpareMemory)
        {
            FreeUnused(size);
        }

        MakeRoom(size);
        Storage block;
        try
        {
            block = _device.AllocateBlock(size);
        }
        catch (DeviceMemoryException)
        {
            // Blocks kept in other size classes, and those of holds, can be cut anew.
            bool kept = _free.Count > 0, reclaimed = Reclaim?.Invoke() == true;
            if (!kept && !reclaimed)
            {
                throw;
            }

            FreeKept();
            block = _device.AllocateBlock(size);
        }

        ReservedBytes += size;
        DeviceAllocations++;
        return block;
    }

    // Without blocks that are kept and not used there may be room. What remains is refused only when it cannot fit either way: a size class is up to
    // an eighth larger than what will be written.
    private void MakeRoom(long size)
    {
        if (size <= _device.MemoryLeft(size))
        {
            return;
        }

        FreeKept();
        long left = _device.MemoryLeft(size);
        if (size > left * (1 + SizeClassExcess))
        {
            throw new DeviceMemoryException($"the machine has {left >> 20} MiB left");
        }
    }

    // Sizes that are in use again and again are never among the oldest of those that are too many.
    private void FreeUnused(long wanted)
    {
        long limit = (MaxReservedFactor * Math.Max(_highWaterBytes, LiveBytes + wanted)) + MinReservedBytes;
        while (ReservedBytes + wanted > limit && _free.Count > 0)
        {
            var (size, blocks) = _free.MinBy(each => each.Value.LastUse);
            while (blocks.Take() is { } block)
            {
                ReservedBytes -= block.Bytes;
                block.Free();
            }

            _free.Remove(size);
        }
    }

    private void FreeKept()
    {
        foreach (var blocks in _free.Values)
        {
            while (blocks.Take() is { } block)
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
