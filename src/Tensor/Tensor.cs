using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>
/// A dense row-major array on a device. It owns one reference to its storage; <see cref="Dispose"/> gives the memory back at once. Reshapes and
/// slices share the storage and are tensors of their own, to be disposed of as well.
/// </summary>
public sealed class Tensor : IDisposable
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
    public View View => _disposed ? throw new ObjectDisposedException(nameof(Tensor), $"tensor {Shape} was used after its memory was released") : new View(Storage, Offset, DType);

    /// <summary>The same values under another shape of as many elements.</summary>
    public Tensor Reshape(params ReadOnlySpan<int> sizes)
    {
        var shape = new Shape(sizes);
        if (shape.Count != Count)
        {
            throw new ArgumentException($"reshape: {Shape} has {Count} elements, {shape} has {shape.Count}", nameof(sizes));
        }

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
        Device.Copy(source.View.Storage, source.Offset * size, View.Storage, Offset * size, Count * size);
    }

    /// <summary>Overwrites the values with host values of the same type and number.</summary>
    public void CopyFromHost<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Check<T>(values.Length);
        Device.Upload(View.Storage, Offset * DType.Size(), MemoryMarshal.AsBytes(values));
    }

    /// <summary>Copies the values to the host.</summary>
    public void CopyToHost<T>(Span<T> values)
        where T : unmanaged
    {
        Check<T>(values.Length);
        Device.Download(View.Storage, Offset * DType.Size(), MemoryMarshal.AsBytes(values));
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
    public void Clear() => Device.Clear(View.Storage, Offset * DType.Size(), Count * DType.Size());

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

    private void Check<T>(int count)
        where T : unmanaged
    {
        if (count != Count || Marshal.SizeOf<T>() != DType.Size())
        {
            throw new ArgumentException($"{DType} {Shape} holds {Count} elements of {DType.Size()} bytes, got {count} of {Marshal.SizeOf<T>()} bytes");
        }
    }
}
