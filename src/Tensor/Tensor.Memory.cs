namespace Ldvc.Tensors;

public sealed partial class Tensor
{
    /// <summary>
    /// The values in place, of a tensor on a CPU: what is written here is the tensor's value from then on. The span is valid as long as the tensor
    /// is. A frozen weight that products keep in another order is put back in rows for it.
    /// </summary>
    /// <typeparam name="T">The element type's C# type: float, int, byte; ushort for the bits of bf16 and fp16.</typeparam>
    /// <exception cref="InvalidOperationException">The tensor is not on a CPU, or its elements are not of that type.</exception>
    /// <exception cref="ObjectDisposedException">The tensor was disposed of.</exception>
    public unsafe Span<T> AsSpan<T>()
        where T : unmanaged
    {
        if (Device is not CpuDevice)
        {
            throw new InvalidOperationException($"as span: expected a tensor on a cpu, got {this}; ToArray copies the values to the host");
        }

        CheckElements<T>("as span");
        if (Count > int.MaxValue)
        {
            throw new InvalidOperationException($"as span: expected fewer than 2^31 elements, got {this}; Slice cuts it into parts");
        }

        StayInRows();
        return new Span<T>((T*)((CpuStorage)View.Storage).Pointer + Offset, (int)Count);
    }

    /// <summary>Refuses a C# type that the elements are not.</summary>
    internal void CheckElements<T>(string method)
        where T : unmanaged
    {
        if (!DType.Holds<T>())
        {
            throw new InvalidOperationException($"{method}: a tensor of {DType} cannot be read as {typeof(T).Name}, got {this}");
        }
    }
}
