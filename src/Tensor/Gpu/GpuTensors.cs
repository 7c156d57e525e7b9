using ILGPU;

namespace Ldvc.Tensors.Gpu;

/// <summary>Tensors as kernels of one's own see them.</summary>
public static class GpuTensors
{
    /// <summary>
    /// The values in place, of a tensor on a GPU, for <see cref="GpuDevice"/>'s kernels: as many elements as the tensor has, in row-major order. The
    /// view is valid as long as the tensor is; a kernel that is queued when the tensor is disposed of still runs before the memory's next owner.
    /// </summary>
    /// <typeparam name="T">The element type's C# type: float, int, byte; ushort for the bits of bf16 and fp16.</typeparam>
    /// <exception cref="InvalidOperationException">The tensor is not on a GPU, its elements are not of that type, or it has 2^31 elements or
    /// more.</exception>
    /// <exception cref="ObjectDisposedException">The tensor was disposed of.</exception>
    public static ArrayView<T> AsGpuView<T>(this Tensor tensor)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Device is not GpuDevice)
        {
            throw new InvalidOperationException($"as GPU view: expected a tensor on a GPU, got {tensor}; AsSpan is for the cpu");
        }

        tensor.CheckElements<T>("as GPU view");
        if (tensor.Count > int.MaxValue)
        {
            throw new InvalidOperationException($"as GPU view: expected fewer than 2^31 elements, got {tensor}; kernels index with 32 bits");
        }

        var view = tensor.View;
        var storage = (GpuStorage)view.Storage;
        storage.Gpu.Capture?.Touch(storage);
        return storage.Elements<T>(view.Offset).SubView(0, tensor.Count);
    }
}
