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

    /// <summary>A tensor's view.</summary>
    public static implicit operator View(Tensor? tensor) => tensor?.View ?? default;
}
