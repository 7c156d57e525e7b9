namespace Ldvc.Tensors.Serialization;

public sealed partial class SafetensorsWriter
{
    /// <summary>
    /// Adds a tensor, in its own element type. It is read from its device while <see cref="Save"/> writes it, and must be alive then.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="tensor">Float32, BFloat16, Float16, Int32 or UInt8 values on any device.</param>
    /// <exception cref="ArgumentException">The name is taken, or the element type is another one.</exception>
    public void Add(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        switch (tensor.DType)
        {
            case DType.Float32: Add<float>(name, tensor); break;
            case DType.BFloat16 or DType.Float16: Add<ushort>(name, tensor); break;
            case DType.Int32: Add<int>(name, tensor); break;
            case DType.UInt8: Add<byte>(name, tensor); break;
            default:
                throw new ArgumentException($"tensor {ArchiveText.Quote(name)}: expected Float32, BFloat16, Float16, Int32 or UInt8, got {tensor}");
        }
    }

    private void Add<T>(string name, Tensor tensor)
        where T : unmanaged
    {
        // One copy on the host at a time: it is made for the first piece and dropped after the last.
        T[]? values = null;
        Add(name, tensor.DType, Array.ConvertAll(tensor.Shape.ToArray(), size => (long)size), (first, stored, _) =>
        {
            values = first == 0 ? tensor.ToArray<T>() : values!;
            int length = stored.Length / tensor.DType.Size();
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan((int)first, length)).CopyTo(stored);
            values = first + length == values.Length ? null : values;
        });
    }
}
