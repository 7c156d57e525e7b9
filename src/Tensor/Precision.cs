namespace Ldvc.Tensors;

/// <summary>
/// What large matrix products and attention multiply with. Trainable weights, gradients, sums, reductions and the loss are float32 in all.
/// </summary>
public enum Precision
{
    /// <summary>IEEE 754 binary32 throughout: the default, and all that the CPU does.</summary>
    Fp32,

    /// <summary>
    /// Inputs of matrix products rounded to tf32, 10 bits of mantissa in 32 (tensor cores, CUDA sm_80 and newer); attention as in fp32.
    /// </summary>
    Tf32,

    /// <summary>Inputs of matrix products and attention rounded to bf16, 7 bits of mantissa (tensor cores, CUDA sm_80 and newer).</summary>
    Bf16,

    /// <summary>
    /// Inputs of matrix products and attention rounded to IEEE 754 binary16, 10 bits of mantissa, numbers up to 65504 (tensor cores, CUDA sm_80 and
    /// newer).
    /// </summary>
    Fp16,
}

/// <summary>Facts about precisions.</summary>
internal static class Precisions
{
    /// <summary>What frozen matrices, and what lies between their products, are stored as: a type of 16 bits, or null for float32.</summary>
    internal static DType? HalfType(this Precision precision) => precision switch
    {
        Precision.Bf16 => DType.BFloat16,
        Precision.Fp16 => DType.Float16,
        _ => null,
    };
}
