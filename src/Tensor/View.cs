using ILGPU;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Tensors;

/// <summary>What kernels see of a tensor: its memory and the position of the first element. A default view means "absent".</summary>
public readonly record struct View(Storage Storage, long Offset)
{
    /// <summary>Nothing was passed (no bias, no residual, ...).</summary>
    public bool IsNone => Storage is null;

    /// <summary>The view that starts some elements later.</summary>
    public View Shift(long elements) => new(Storage, Offset + elements);

    /// <summary>CPU address of the first float; null for an absent view.</summary>
    internal unsafe float* Floats => Storage is null ? null : (float*)((CpuStorage)Storage).Pointer + Offset;

    /// <summary>CPU address of the first 32-bit integer; null for an absent view.</summary>
    internal unsafe int* Ints => Storage is null ? null : (int*)((CpuStorage)Storage).Pointer + Offset;

    /// <summary>CPU address of the first byte; null for an absent view.</summary>
    internal unsafe byte* Bytes => Storage is null ? null : ((CpuStorage)Storage).Pointer + Offset;

    /// <summary>GPU memory from the first float to the block's end; not for absent views.</summary>
    internal ArrayView<float> GpuFloats => ((GpuStorage)Storage).Elements<float>(Offset);

    /// <summary>GPU memory from the first 32-bit integer to the block's end; not for absent views.</summary>
    internal ArrayView<int> GpuInts => ((GpuStorage)Storage).Elements<int>(Offset);

    /// <summary>GPU memory from the first byte to the block's end; not for absent views.</summary>
    internal ArrayView<byte> GpuBytes => ((GpuStorage)Storage).Elements<byte>(Offset);

    /// <summary>A tensor's view.</summary>
    public static implicit operator View(Tensor? tensor) => tensor?.View ?? default;
}
