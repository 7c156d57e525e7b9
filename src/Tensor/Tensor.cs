using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>
/// A dense row-major array on a device. It owns one reference to its storage; <see cref="Dispose"/> gives the memory back at once. Reshapes and
/// slices share the storage and are tensors of their own, to be disposed of as well.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    private bool _disposed;

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

    /// <summary>Where kernels find the data.</summary>
    /// <exception cref="InvalidOperationException">The values are a frozen weight that is kept in another order: only a matrix product reads that.</exception>
    public View View => InPanels ? throw new InvalidOperationException($"tensor {Shape} is a frozen weight kept in panels; it has no plain view") : Raw;

    /// <summary>Whether <see cref="Dispose"/> has given the memory back.</summary>
    public bool IsDisposed => _disposed;

    /// <summary>Whether the values are kept in the order of <see cref="PanelLayout"/>.</summary>
    internal bool InPanels => Storage.PanelRow != 0;

    /// <summary>The data in whatever order they are kept.</summary>
    internal View Raw => _disposed ? throw new ObjectDisposedException(nameof(Tensor), $"tensor {Shape} was used after its memory was released") : new View(Storage, Offset, DType);

    /// <summary>The same values under another shape of as many elements.</summary>
    public Tensor Reshape(params ReadOnlySpan<int> sizes)
    {
        var shape = new Shape(sizes);
        if (shape.Count != Count)
        {
            throw new ArgumentException($"reshape: {Shape} has {Count} elements, {shape} has {shape.Count}", nameof(sizes));
        }

        ObjectDisposedException.ThrowIf(_disposed, this);
        Storage.Retain();
        return new Tensor(shape, DType, Storage, Offset);
    }

    /// <summary>Another handle to the same values.</summary>
    public Tensor Share()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Storage.Retain();
        return new Tensor(Shape, DType, Storage, Offset);
    }

    /// <summary>Rows start .. start+count of the outermost dimension, sharing the memory.</summary>
    public Tensor Slice(int start, int count)
    {
        if (start < 0 || count < 0 || start + count > Shape[0])
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"slice: rows {start}..{start + count} of {Shape}");
        }

        var sizes = Shape.ToArray();
        sizes[0] = count;
        long row = Shape[0] == 0 ? 0 : Count / Shape[0];
        ObjectDisposedException.ThrowIf(_disposed, this);
        Storage.Retain();
        return new Tensor(new Shape(sizes), DType, Storage, Offset + (start * row));
    }

    /// <summary>A new tensor with the same contents.</summary>
    public Tensor Clone()
    {
        var copy = Device.Empty(Shape, DType);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Overwrites the values with another tensor's on the same device.</summary>
    public void CopyFrom(Tensor source)
    {
        if (source.Count != Count || source.DType != DType || source.Device != Device)
        {
            throw new ArgumentException($"copy: {source.DType} {source.Shape} on {source.Device.Name} into {DType} {Shape} on {Device.Name}", nameof(source));
        }

        int size = DType.Size();
        Device.Copy(source.Raw.Storage, source.Offset * size, Raw.Storage, Offset * size, Count * size);
        if (source.Storage.PanelRow != Storage.PanelRow)
        {
            PanelLayout.Unpack(Floats(), source.Storage.PanelRow);
            PanelLayout.Pack(Floats(), Storage.PanelRow);
        }
    }

    /// <summary>Overwrites the values with host values of the same type and number.</summary>
    public void CopyFromHost<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Check<T>(values.Length);
        Device.Upload(Raw.Storage, Offset * DType.Size(), MemoryMarshal.AsBytes(values));
        PanelLayout.Pack(InPanels ? Floats() : default, Storage.PanelRow);
    }

    /// <summary>Copies the values to the host.</summary>
    public void CopyToHost<T>(Span<T> values)
        where T : unmanaged
    {
        Check<T>(values.Length);
        Device.Download(Raw.Storage, Offset * DType.Size(), MemoryMarshal.AsBytes(values));
        PanelLayout.Unpack(InPanels ? MemoryMarshal.Cast<T, float>(values) : default, Storage.PanelRow);
    }

    /// <summary>The values as a host array; T is the element type's C# type (ushort for bf16 and fp16 bits).</summary>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        var values = new T[Count];
        CopyToHost<T>(values);
        return values;
    }

    /// <summary>Float values as a host array.</summary>
    public float[] ToArray() => ToArray<float>();

    /// <summary>The only element of a one-element float tensor.</summary>
    public float ToScalar()
    {
        Span<float> value = stackalloc float[1];
        CopyToHost(value);
        return value[0];
    }

    /// <summary>Sets every element to zero.</summary>
    public void Clear() => Device.Clear(Raw.Storage, Offset * DType.Size(), Count * DType.Size());

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Storage.Release();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{DType} {Shape} on {Device.Name}";

    /// <summary>
    /// Rearranges a float matrix on the CPU into panels, if it fits: from here on only matrix products take it, and copies to and from the host, which
    /// rearrange. Says whether it is in panels now.
    /// </summary>
    internal bool KeepInPanels()
    {
        if (!InPanels && Device is CpuDevice && DType == DType.Float32 && Offset == 0 && PanelLayout.Fits(Shape))
        {
            lock (Storage)
            {
                if (!InPanels)
                {
                    PanelLayout.Pack(Floats(), Shape[1]);
                    Storage.PanelRow = Shape[1];
                }
            }
        }

        return InPanels;
    }

    /// <summary>Undoes <see cref="KeepInPanels"/>.</summary>
    internal void KeepInRows()
    {
        lock (Storage)
        {
            PanelLayout.Unpack(InPanels ? Floats() : default, Storage.PanelRow);
            Storage.PanelRow = 0;
        }
    }

    private unsafe Span<float> Floats() => new(Raw.Floats, checked((int)Count));

    private void Check<T>(int count)
        where T : unmanaged
    {
        if (count != Count || Marshal.SizeOf<T>() != DType.Size())
        {
            throw new ArgumentException($"{DType} {Shape} holds {Count} elements of {DType.Size()} bytes, got {count} of {Marshal.SizeOf<T>()} bytes");
        }
    }
}
