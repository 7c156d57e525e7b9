namespace Ldvc.Tensors.Serialization;

/// <summary>Safetensors' names of element types.</summary>
internal static class SafetensorsTypes
{
    /// <summary>The names this program reads, for messages.</summary>
    public const string Known = "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL";

    /// <summary>The type of a name; false for the ones this program has no use for.</summary>
    public static bool TryParse(string name, out DType type)
    {
        DType? known = name switch
        {
            "F64" => DType.Float64,
            "F32" => DType.Float32,
            "F16" => DType.Float16,
            "BF16" => DType.BFloat16,
            "I64" => DType.Int64,
            "I32" => DType.Int32,
            "I16" => DType.Int16,
            "I8" => DType.Int8,
            "U8" => DType.UInt8,
            "BOOL" => DType.Bool,
            _ => null,
        };
        type = known ?? default;
        return known.HasValue;
    }

    /// <summary>The name of a type.</summary>
    public static string Name(DType type) => type switch
    {
        DType.Float64 => "F64",
        DType.Float32 => "F32",
        DType.Float16 => "F16",
        DType.BFloat16 => "BF16",
        DType.Int64 => "I64",
        DType.Int32 => "I32",
        DType.Int16 => "I16",
        DType.Int8 => "I8",
        DType.UInt8 => "U8",
        _ => "BOOL",
    };
}
