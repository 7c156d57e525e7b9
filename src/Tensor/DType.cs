namespace Ldvc.Tensors;

/// <summary>Element types that files and tensors can hold. Arithmetic is done in <see cref="Float32"/>; labels are integers.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32: the compute type.</summary>
    Float32,

    /// <summary>The upper 16 bits of a binary32 (load and store only on the CPU).</summary>
    BFloat16,

    /// <summary>IEEE 754 binary16 (load and store only on the CPU).</summary>
    Float16,

    /// <summary>IEEE 754 binary64 (load only).</summary>
    Float64,

    /// <summary>Signed 64 bit.</summary>
    Int64,

    /// <summary>Signed 32 bit: token ids, routing tables, label maps in reference files.</summary>
    Int32,

    /// <summary>Signed 16 bit (load only).</summary>
    Int16,

    /// <summary>Signed 8 bit (load only).</summary>
    Int8,

    /// <summary>Unsigned 8 bit: label maps, pixels.</summary>
    UInt8,

    /// <summary>One byte, 0 or 1 (load only).</summary>
    Bool,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the types.</exception>
    public static int Size(this DType type) => type switch
    {
        DType.Float64 or DType.Int64 => 8,
        DType.Float32 or DType.Int32 => 4,
        DType.BFloat16 or DType.Float16 or DType.Int16 => 2,
        DType.Int8 or DType.UInt8 or DType.Bool => 1,
        _ => throw new ArgumentOutOfRangeException(
            nameof(type), $"element type {(int)type}: expected one of {string.Join(", ", Enum.GetNames<DType>())}"),
    };

    /// <summary>
    /// Whether elements are of the C# type: float, double, long, int, short, sbyte, byte; ushort for the bits of bf16 and fp16, Half for fp16 too;
    /// byte or bool for <see cref="DType.Bool"/>. Other types of the same size (char, uint, enumerations) are not taken for them.
    /// </summary>
    public static bool Holds<T>(this DType type)
        where T : unmanaged => type switch
        {
            DType.Float32 => typeof(T) == typeof(float),
            DType.BFloat16 => typeof(T) == typeof(ushort),
            DType.Float16 => typeof(T) == typeof(ushort) || typeof(T) == typeof(Half),
            DType.Float64 => typeof(T) == typeof(double),
            DType.Int64 => typeof(T) == typeof(long),
            DType.Int32 => typeof(T) == typeof(int),
            DType.Int16 => typeof(T) == typeof(short),
            DType.Int8 => typeof(T) == typeof(sbyte),
            DType.UInt8 => typeof(T) == typeof(byte),
            DType.Bool => typeof(T) == typeof(byte) || typeof(T) == typeof(bool),
            _ => false,
        };
}
