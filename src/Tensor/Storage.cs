namespace Ldvc.Tensors;

/// <summary>
/// A block of device memory with a reference count. Tensors that share it (reshapes, slices, values saved for the backward) each hold one
/// reference; when the last one goes, the block returns to the device's pool at once, not when the garbage collector finds it.
/// </summary>
public abstract class Storage
{
    private int _references;
    private int _panelRow;
    private bool _staysInRows;

    private protected Storage(Device device, long bytes)
    {
        Device = device;
        Bytes = bytes;
    }

    /// <summary>The device that owns the memory.</summary>
    public Device Device { get; }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>
    /// Length of a row if the block holds a matrix in panels (<see cref="PanelLayout"/>), 0 if its values lie as the tensors on it say.
    /// </summary>
    internal int PanelRow { get => Volatile.Read(ref _panelRow); set => Volatile.Write(ref _panelRow, value); }

    /// <summary>Whether somebody reads the values where the tensors on the block say: they are not put in panels any more.</summary>
    internal bool StaysInRows { get => Volatile.Read(ref _staysInRows); set => Volatile.Write(ref _staysInRows, value); }

    /// <summary>
    /// How often values were overwritten from outside of kernels (copies, zeros, files) or by an optimizer: whoever has kept a handle to a value sees
    /// by it that it is another one now. What is written through spans and views of GPUs does not count: they serve for reading, too.
    /// </summary>
    internal int Writes { get; private set; }

    /// <summary>Bytes that the block was rented for; it may have more.</summary>
    internal long Asked { get; set; }

    /// <summary>A number that orders the blocks of a device by where they lie, where <see cref="Device.OrdersBlocks"/> asks for it.</summary>
    internal virtual long Address => 0;

    /// <summary>Whom the pool has set the block aside for; null for nobody.</summary>
    internal PoolHold? Hold { get; set; }

    /// <summary>How many tensors hold the block.</summary>
    public int References => Volatile.Read(ref _references);

    /// <summary>Frees the memory itself; called by the pool only.</summary>
    internal abstract void Free();

    /// <summary>Refuses a block whose surroundings were written to; nothing where they are not watched.</summary>
    internal virtual void CheckSurroundings()
    {
    }

    /// <summary>Makes what the block held before useless to whoever gets it next; nothing where blocks are not watched.</summary>
    internal virtual void Spoil()
    {
    }

    internal void NoteWrite() => Writes++;

    internal void Retain() => Interlocked.Increment(ref _references);

    internal void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            PanelRow = 0;
            StaysInRows = false;
            Device.Pool.Return(this);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("storage released more often than retained");
        }
    }
}
