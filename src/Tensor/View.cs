namespace Ldvc.Tensors;

/// <summary>What kernels see of a tensor: its memory, the position of the first element, and what the elements are. A default view means "absent".</summary>
public readonly record struct View(Storage Storage, long Offset, DType Type = DType.Float32)
{
    /// <summary>Nothing was passed (no bias, no residual, ...).</summary>
    public bool IsNone => Storage is null;

    /// <summary>The view that starts some elements later.</summary>
    public View Shift(long elements) => this with { Offset = Offset + elements };

    /// <summary>Whether the elements are bf16: only the kernels that say so take such views.</summary>
    internal bool IsBf16 => Type == DType.BFloat16;

    /// <summary>CPU address of the first float; null for an absent view.</summary>
    internal unsafe float* Floats => Storage is null ? null : (float*)((CpuStorage)Float32Storage).Pointer + Offset;

    /// <summary>CPU address of the first 32-bit integer; null for an absent view.</summary>
    internal unsafe int* Ints => Storage is null ? null : (int*)((CpuStorage)Storage).Pointer + Offset;

    /// <summary>CPU address of the first byte; null for an absent view.</summary>
    internal unsafe byte* Bytes => Storage is null ? null : ((CpuStorage)Storage).Pointer + Offset;

    /// <summary>The storage, of elements that are not bf16: misreading halves of floats would give plausible numbers.</summary>
    /// <exception cref="InvalidOperationException">The elements are bf16.</exception>
    internal Storage Float32Storage => IsBf16 ? throw new InvalidOperationException("a kernel expected float32 numbers, got bf16") : Storage;

    /// <summary>A tensor's view.</summary>
    public static implicit operator View(Tensor? tensor) => tensor?.View ?? default;
}
