using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>
/// Where tensors live and kernels run. Model code only ever holds a <see cref="Device"/>; which kernels belong to it is decided in one place
/// (KernelSet of Ldvc.Kernels).
/// </summary>
/// <remarks>
/// Threads. A CPU device may be used by several threads at once, each with tensors and tapes of its own: matrix products take turns, other operations
/// of the second thread run on that thread alone while the first uses the team, and results are the same as one after another. A GPU device works for
/// one thread at a time: it may pass from thread to thread, but what two threads queue at once is refused with an
/// <see cref="InvalidOperationException"/>, because its kernels share scratch memory in the order in which they are queued. Opening a device of one's
/// own for each thread is always right. A device is disposed of when nothing runs on it any more.
/// </remarks>
public abstract class Device : IDisposable
{
    private int _disposed;
    private long _tapes;

    private protected Device()
    {
        Pool = new MemoryPool(this);
    }

    /// <summary>What the command line calls it, e.g. "cpu".</summary>
    public abstract string Name { get; }

    /// <summary>Whether <see cref="Dispose()"/> was called: the device takes no more work, and its tensors have no values any more.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>The device's memory and its counters.</summary>
    public MemoryPool Pool { get; }

    /// <summary>What matrix products and attention multiply with.</summary>
    /// <exception cref="InputException">The device has no tensor cores.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the precisions.</exception>
    public Precision Precision
    {
        get;
        set => field = !Enum.IsDefined(value)
            ? throw new ArgumentOutOfRangeException(
                nameof(value), $"precision {(int)value}: expected one of {string.Join(", ", Enum.GetNames<Precision>())}")
            : value == Precision.Fp32 || HasTensorCores
            ? value
            : throw new InputException($"precision {value.ToString().ToLowerInvariant()}: device {Name} computes in fp32 only; "
                + "cuda with an sm_80 card or newer, or simulator, has tf32, bf16 and fp16");
    }

    /// <summary>Whether the device runs kernels for tensor cores, or simulates them.</summary>
    internal virtual bool HasTensorCores => false;

    /// <summary>The kernels of this device; set once by KernelSet of Ldvc.Kernels, kept here so that finding them costs nothing.</summary>
    internal object? Kernels { get; set; }

    /// <summary>Names what is queued until the result is disposed of on a profiler's time line; nothing where there is none.</summary>
    public virtual DeviceRange Range(string name) => default;

    /// <summary>Whether <see cref="Range"/> does anything.</summary>
    internal virtual bool HasRanges => false;

    /// <summary>A tensor whose contents are undefined.</summary>
    /// <exception cref="InputException">The device's memory is full.</exception>
    /// <exception cref="ArgumentException">The element type is none, or the tensor would take 2^63 bytes or more.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed of.</exception>
    public Tensor Empty(Shape shape, DType type = DType.Float32)
    {
        ThrowIfDisposed("empty");
        int size = type.Size();
        if (shape.Count > long.MaxValue / size)
        {
            throw new ArgumentException(
                $"empty: {type} {shape} would take {shape.Count} elements of {size} bytes, expected fewer than 2^63 bytes", nameof(shape));
        }

        long bytes = Math.Max(1, shape.Count) * size;
        try
        {
            var block = Pool.Rent(bytes);
            block.Asked = bytes;
            return new Tensor(shape, type, block, 0);
        }
        catch (DeviceMemoryException e)
        {
            throw new InputException($"{Name}: out of memory for {type} {shape}, {Text(bytes)} wanted, {Text(Pool.LiveBytes)} in use by tensors, "
                + $"{e.Message}; a smaller batch or picture may fit", e);
        }

        static string Text(long bytes) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024.0):0.##} MiB");
    }

    /// <summary>A tensor of zeros.</summary>
    public Tensor Zeros(Shape shape, DType type = DType.Float32)
    {
        var tensor = Empty(shape, type);
        try
        {
            Clear(tensor.Storage, 0, shape.Count * type.Size());
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>A tensor with a copy of host values.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's.</exception>
    public Tensor FromHost(ReadOnlySpan<float> values, Shape shape) => FromHost(values, shape, DType.Float32);

    /// <summary>A bf16 or fp16 tensor with host values rounded to nearest, ties to even.</summary>
    internal Tensor FromHostRounded(ReadOnlySpan<float> values, Shape shape, DType type = DType.BFloat16)
    {
        CheckCount(values.Length, shape, type);
        var rounded = new ushort[values.Length];
        ElementConversion.FromFloat32(type, values, MemoryMarshal.AsBytes(rounded.AsSpan()));
        return FromHost<ushort>(rounded, shape, type);
    }

    /// <summary>A tensor of 32-bit integers with a copy of host values.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's.</exception>
    public Tensor FromHost(ReadOnlySpan<int> values, Shape shape) => FromHost(values, shape, DType.Int32);

    /// <summary>A tensor of bytes with a copy of host values.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's.</exception>
    public Tensor FromHost(ReadOnlySpan<byte> values, Shape shape) => FromHost(values, shape, DType.UInt8);

    /// <summary>Waits until every kernel started so far has ended.</summary>
    public abstract void Synchronize();

    /// <summary>
    /// Ends the device; once more does nothing. Tensors on it have no values from here on; disposing of them frees what they still hold.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Pool.Close();
            Dispose(true);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the device holds besides its pool.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>A number for each tape that is given none: 0, 1, 2, ...</summary>
    internal ulong NextTapeSeed() => (ulong)(Interlocked.Increment(ref _tapes) - 1);

    /// <summary>A tape begins on this device: where only one thread may compute at a time, the others are refused until it ends.</summary>
    internal virtual void HoldForTape()
    {
    }

    /// <summary>A tape has ended.</summary>
    internal virtual void ReleaseFromTape()
    {
    }

    /// <summary>Refuses work after the end.</summary>
    internal void ThrowIfDisposed(string method)
    {
        if (IsDisposed)
        {
            throw new ObjectDisposedException(Name, $"{method}: device {Name} was disposed of");
        }
    }

    /// <summary>
    /// Whether starting a kernel takes as long as a small kernel itself: one large call is then better than many small ones, even where its sums come
    /// out in another order.
    /// </summary>
    internal virtual bool StartsAreDear => false;

    /// <summary>Whether the pool hands out blocks by their address, so that equal steps get equal ones.</summary>
    internal virtual bool OrdersBlocks => false;

    /// <summary>
    /// Whether the pool gives blocks back that nobody uses. Where memory runs out with an error, it does so then; where the system ends the program
    /// instead, it has to do so before.
    /// </summary>
    internal virtual bool BoundsSpareMemory => false;

    /// <summary>Bytes that are left for a block of so many, where the device would not say that there are too few.</summary>
    internal virtual long MemoryLeft(long wanted) => long.MaxValue;

    /// <summary>Whether the device can copy inputs while it computes.</summary>
    internal virtual bool CopiesAhead => false;

    internal virtual InputSlot CreateInputSlot() => throw new NotSupportedException($"{Name} copies inputs at once");

    /// <summary>Whether blocks are exactly as large as asked for, so that nothing can be written behind a tensor unnoticed: for tests.</summary>
    internal virtual bool ExactBlocks => false;

    internal abstract Storage AllocateBlock(long bytes);

    internal abstract void Upload(Storage target, long byteOffset, ReadOnlySpan<byte> source);

    internal abstract void Download(Storage source, long byteOffset, Span<byte> target);

    internal abstract void Clear(Storage target, long byteOffset, long bytes);

    internal abstract void Copy(Storage source, long sourceOffset, Storage target, long targetOffset, long bytes);

    // A copy that is refused (another thread computes, the device is gone) leaves no block behind.
    private Tensor FromHost<T>(ReadOnlySpan<T> values, Shape shape, DType type)
        where T : unmanaged
    {
        CheckCount(values.Length, shape, type);
        var tensor = Empty(shape, type);
        try
        {
            tensor.CopyFromHost(values);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static void CheckCount(int count, Shape shape, DType type)
    {
        if (count != shape.Count)
        {
            throw new ArgumentException($"from host: {type} {shape} holds {shape.Count} elements, got {count}", nameof(shape));
        }
    }
}
