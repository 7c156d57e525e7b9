using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>
/// A dense row-major array on a device. It owns one reference to its storage; <see cref="Dispose"/> gives the memory back at once. Reshapes and
/// slices share the storage and are tensors of their own, to be disposed of as well.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    // Elements of one copy between host and device: their bytes are counted in an int.
    private const int CopiedElements = 1 << 27;

    private int _disposed;

    internal Tensor(Shape shape, DType type, Storage storage, long offset)
    {
        Shape = shape;
        DType = type;
        Storage = storage;
        Offset = offset;
    }

    /// <summary>Sizes, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Element type.</summary>
    public DType DType { get; }

    /// <summary>The memory behind it.</summary>
    public Storage Storage { get; }

    /// <summary>First element's position in the storage, in elements.</summary>
    public long Offset { get; }

    /// <summary>The device it lives on.</summary>
    public Device Device => Storage.Device;

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>Where kernels find the data. A frozen weight that products keep in another order is put back in rows.</summary>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public View View
    {
        get
        {
            if (InPanels)
            {
                StayInRows();
            }

            return Raw;
        }
    }

    /// <summary>Whether <see cref="Dispose"/> has given the memory back.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Whether the values are kept in the order of <see cref="PanelLayout"/>.</summary>
    internal bool InPanels => Storage.PanelRow != 0;

    /// <summary>The data in whatever order they are kept.</summary>
    internal View Raw => IsDisposed || Device.IsDisposed ? throw Gone() : new View(Storage, Offset, DType);

    /// <summary>The same values under another shape of as many elements.</summary>
    /// <exception cref="ArgumentException">The sizes are no shape, or of another number of elements.</exception>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public Tensor Reshape(params ReadOnlySpan<int> sizes)
    {
        _ = Raw;
        var shape = new Shape(sizes);
        if (shape.Count != Count)
        {
            throw new ArgumentException($"reshape: {Shape} has {Count} elements, {shape} has {shape.Count}", nameof(sizes));
        }

        Storage.Retain();
        return new Tensor(shape, DType, Storage, Offset);
    }

    /// <summary>Another handle to the same values.</summary>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public Tensor Share()
    {
        _ = Raw;
        Storage.Retain();
        return new Tensor(Shape, DType, Storage, Offset);
    }

    /// <summary>Rows start .. start+count of the outermost dimension, sharing the memory.</summary>
    /// <exception cref="ArgumentException">The tensor has no dimension, or no such rows.</exception>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public Tensor Slice(int start, int count)
    {
        _ = Raw;
        if (Shape.Rank == 0)
        {
            throw new ArgumentException($"slice: expected at least one dimension, got {this}");
        }

        if (start < 0 || count < 0 || start > Shape[0] - count)
        {
            throw new ArgumentOutOfRangeException(nameof(start), "slice: expected start and count of at least 0 and start + count of at most "
                + $"{Shape[0]}, got start={start}, count={count} of {Shape}");
        }

        var sizes = Shape.ToArray();
        sizes[0] = count;
        long row = Shape[0] == 0 ? 0 : Count / Shape[0];
        Storage.Retain();
        return new Tensor(new Shape(sizes), DType, Storage, Offset + (start * row));
    }

    /// <summary>A new tensor with the same contents.</summary>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public Tensor Clone()
    {
        _ = Raw;
        var copy = Device.Empty(Shape, DType);
        try
        {
            copy.CopyFrom(this);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites the values with another tensor's on the same device.</summary>
    /// <exception cref="ArgumentException">The other is of another element type, number of elements or device.</exception>
    /// <exception cref="ObjectDisposedException">The memory of one was released.</exception>
    public void CopyFrom(Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Count != Count || source.DType != DType || source.Device != Device)
        {
            string elsewhere = source.Device == Device ? "" : ", another device; ToArray and CopyFromHost go by the host";
            throw new ArgumentException(
                $"copy: {source.DType} {source.Shape} on {source.Device.Name} into {DType} {Shape} on {Device.Name}{elsewhere}", nameof(source));
        }

        LeavePanels();
        source.LeavePanels();
        int size = DType.Size();
        Storage.NoteWrite();
        Device.Copy(source.Raw.Storage, source.Offset * size, Raw.Storage, Offset * size, Count * size);
        if (source.Storage.PanelRow != Storage.PanelRow)
        {
            PanelLayout.Unpack(Floats(), source.Storage.PanelRow);
            PanelLayout.Pack(Floats(), Storage.PanelRow);
        }
    }

    /// <summary>Overwrites the values with host values of the same type and number.</summary>
    /// <typeparam name="T">The element type's C# type (<see cref="DTypes.Holds"/>).</typeparam>
    /// <exception cref="ArgumentException">The values are of another type or number.</exception>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public void CopyFromHost<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Check<T>("copy from host", values.Length);
        var storage = Raw.Storage;
        storage.NoteWrite();
        for (int at = 0; at < values.Length; at += CopiedElements)
        {
            var part = values.Slice(at, Math.Min(CopiedElements, values.Length - at));
            Device.Upload(storage, (Offset + at) * DType.Size(), MemoryMarshal.AsBytes(part));
        }

        PanelLayout.Pack(InPanels ? Floats() : default, Storage.PanelRow);
    }

    /// <summary>Copies the values to the host.</summary>
    /// <inheritdoc cref="CopyFromHost{T}"/>
    public void CopyToHost<T>(Span<T> values)
        where T : unmanaged
    {
        Check<T>("copy to host", values.Length);
        var storage = Raw.Storage;

        // A weight's order may change when another thread reads it for the first time.
        lock (storage)
        {
            for (int at = 0; at < values.Length; at += CopiedElements)
            {
                var part = values.Slice(at, Math.Min(CopiedElements, values.Length - at));
                Device.Download(storage, (Offset + at) * DType.Size(), MemoryMarshal.AsBytes(part));
            }

            PanelLayout.Unpack(InPanels ? MemoryMarshal.Cast<T, float>(values) : default, Storage.PanelRow);
        }
    }

    /// <summary>The values as a host array; T is the element type's C# type (ushort for bf16 and fp16 bits).</summary>
    /// <inheritdoc cref="CopyFromHost{T}"/>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        Check<T>("to array", Count);
        if (Count > Array.MaxLength)
        {
            throw new InvalidOperationException($"to array: expected at most {Array.MaxLength} elements, got {this}; Slice cuts it into parts");
        }

        var values = new T[Count];
        CopyToHost<T>(values);
        return values;
    }

    /// <summary>Float values as a host array.</summary>
    public float[] ToArray() => ToArray<float>();

    /// <summary>The only element of a one-element float tensor.</summary>
    /// <exception cref="ArgumentException">It has another number of elements, or they are not float32.</exception>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    public float ToScalar()
    {
        if (Count != 1)
        {
            throw new ArgumentException($"to scalar: expected a tensor of one element, got {this}");
        }

        Check<float>("to scalar", 1);
        Span<float> value = stackalloc float[1];
        CopyToHost(value);
        return value[0];
    }

    /// <summary>Sets every element to zero.</summary>
    public void Clear()
    {
        LeavePanels();
        Storage.NoteWrite();
        Device.Clear(Raw.Storage, Offset * DType.Size(), Count * DType.Size());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Storage.Release();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{DType} {Shape} on {Device.Name}";

    /// <summary>
    /// Rearranges a float matrix on the CPU into panels, if it fits, is all of its block, and nothing has read its rows: from here on matrix products
    /// take it as it lies, copies to and from the host rearrange, and whoever else reads it puts it back. Says whether it is in panels of its own
    /// rows now.
    /// </summary>
    internal bool KeepInPanels()
    {
        var storage = Raw.Storage;
        if (Device is not CpuDevice || DType != DType.Float32 || Offset != 0 || Count * sizeof(float) != storage.Asked || !PanelLayout.Fits(Shape))
        {
            return false;
        }

        if (!InPanels && !storage.StaysInRows)
        {
            lock (storage)
            {
                if (!InPanels && !storage.StaysInRows)
                {
                    PanelLayout.Pack(Floats(), Shape[1]);
                    storage.PanelRow = Shape[1];
                }
            }
        }

        return storage.PanelRow == Shape[1];
    }

    /// <summary>Undoes <see cref="KeepInPanels"/>.</summary>
    internal void KeepInRows()
    {
        var storage = Raw.Storage;
        lock (storage)
        {
            PanelLayout.Unpack(InPanels ? Block() : default, storage.PanelRow);
            storage.PanelRow = 0;
        }
    }

    /// <summary>The values are read where the tensor says: they lie in rows from here on, whatever products would like.</summary>
    internal void StayInRows()
    {
        if (Device is CpuDevice && DType == DType.Float32 && !Storage.StaysInRows)
        {
            lock (Storage)
            {
                KeepInRows();
                Storage.StaysInRows = true;
            }
        }
    }

    private unsafe Span<float> Floats() => new(Raw.Floats, checked((int)Count));

    // All of a weight in panels, of which this may be a part.
    private unsafe Span<float> Block() => new(((CpuStorage)Storage).Pointer, checked((int)(Storage.Asked / sizeof(float))));

    /// <summary>
    /// The first label of a tensor of bytes or 32-bit integers on the CPU that is neither below a bound nor one other number; null when there is
    /// none, or the values lie elsewhere.
    /// </summary>
    internal unsafe int? HostValueBesides(int bound, int other)
    {
        if (Device is not CpuDevice || DType is not (DType.UInt8 or DType.Int32))
        {
            return null;
        }

        for (long at = 0; at < Count; at += CopiedElements)
        {
            int count = (int)Math.Min(CopiedElements, Count - at);
            if (DType == DType.UInt8)
            {
                var part = new ReadOnlySpan<byte>(Raw.Bytes + at, count);
                if (bound < other && part.IndexOfAnyInRange((byte)bound, (byte)(other - 1)) is >= 0 and int found)
                {
                    return part[found];
                }
            }
            else
            {
                foreach (int value in new ReadOnlySpan<int>(Raw.Ints + at, count))
                {
                    if ((uint)value >= (uint)bound && value != other)
                    {
                        return value;
                    }
                }
            }
        }

        return null;
    }

    private ObjectDisposedException Gone() => IsDisposed
        ? new(nameof(Tensor), $"tensor {Shape} was used after its memory was released")
        : new(nameof(Tensor), $"tensor {Shape} was used after its device {Device.Name} was disposed of");

    private void Check<T>(string method, long count)
        where T : unmanaged
    {
        if (!DType.Holds<T>())
        {
            throw new ArgumentException($"{method}: expected a C# type for {DType}, got {typeof(T).Name} ({this})");
        }

        if (count != Count)
        {
            throw new ArgumentException($"{method}: expected {Count} elements, as {this} holds, got {count}");
        }

        LeavePanels();
    }

    // A part of a weight in panels lies in one piece only where it is whole panels.
    private void LeavePanels()
    {
        long panel = (long)Storage.PanelRow * PanelLayout.Width;
        if (panel != 0 && (Offset % panel != 0 || Count % panel != 0))
        {
            StayInRows();
        }
    }
}
