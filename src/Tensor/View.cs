namespace Ldvc.Tensors;

/// <summary>
/// What kernels see of a tensor: its memory, the position of the first element, and what the elements are. A default view means "absent".
/// </summary>
public readonly record struct View(Storage Storage, long Offset, DType Type = DType.Float32)
{
    /// <summary>Nothing was passed (no bias, no residual, ...).</summary>
    public bool IsNone => Storage is null;

    /// <summary>The view that starts some elements later.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It would start outside the block.</exception>
    public View Shift(long elements)
    {
        long offset = Offset + elements;
        if (Storage is not null && (ulong)offset > (ulong)(Storage.Bytes / Type.Size()))
        {
            throw new ArgumentOutOfRangeException(
                nameof(elements), $"shift: element {Offset} + {elements} lies outside a block of {Storage.Bytes} bytes of {Type}");
        }

        return this with { Offset = offset };
    }

    /// <summary>The same memory taken for elements of another type: for blocks that hold several kinds of values. Absent views stay absent.</summary>
    internal View As(DType type) => this with { Type = type, Offset = Offset * Type.Size() / type.Size() };

    /// <summary>Whether the elements are bf16 or fp16: only the kernels that say so take such views.</summary>
    internal bool IsHalf => Type is DType.BFloat16 or DType.Float16;

    /// <summary>CPU address of the first float; null for an absent view.</summary>
    internal unsafe float* Floats => Storage is null ? null : (float*)Cpu(DType.Float32).Pointer + Offset;

    /// <summary>CPU address of the first 32-bit integer; null for an absent view.</summary>
    internal unsafe int* Ints => Storage is null ? null : (int*)Cpu(DType.Int32).Pointer + Offset;

    /// <summary>CPU address of the first byte; null for an absent view.</summary>
    internal unsafe byte* Bytes => Storage is null ? null : Cpu(DType.UInt8).Pointer + Offset;

    /// <summary>A tensor's view.</summary>
    public static implicit operator View(Tensor? tensor) => tensor?.View ?? default;

    // Misread elements give plausible numbers, larger ones than the block holds foreign memory.
    private CpuStorage Cpu(DType type) => Type == type && Storage is CpuStorage storage ? storage : throw Misread(type, "a CPU");

    /// <summary>The error of a kernel that expects other elements, or elements elsewhere.</summary>
    internal InvalidOperationException Misread(DType type, string device) =>
        new($"a kernel of {device} expected {Name(type)} numbers, got {Name(Type)} on {Storage?.Device.Name ?? "no device"}");

    private static string Name(DType type) => type switch
    {
        DType.Float32 => "float32",
        DType.BFloat16 => "bf16",
        DType.Float16 => "fp16",
        _ => type.ToString(),
    };
}
