namespace Ldvc.Tensors;

/// <summary>What large matrix products and attention multiply with. Weights, gradients, sums, reductions and the loss are float32 in both.</summary>
public enum Precision
{
    /// <summary>IEEE 754 binary32 throughout: the default, and all that the CPU does.</summary>
    Fp32,

    /// <summary>Inputs of matrix products and attention rounded to bf16, 7 bits of mantissa (tensor cores, CUDA sm_80 and newer).</summary>
    Bf16,
}
