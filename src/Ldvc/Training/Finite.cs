using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>Finds NaN and infinity in a tensor of any type that a model's values have.</summary>
internal static class Finite
{
    // Exponents of a bf16 and of an fp16 value; all ones = infinity or NaN.
    private const ushort Bf16Exponent = 0x7F80;
    private const ushort Fp16Exponent = 0x7C00;

    /// <summary>
    /// Whether every value is finite. Float32 values are checked on the device; those of 16 bits, of which there is no kernel, on the host: a run
    /// that diverged has the time.
    /// </summary>
    internal static bool All(Tensor tensor)
    {
        if (tensor.DType is DType.BFloat16 or DType.Float16)
        {
            ushort exponent = tensor.DType == DType.Float16 ? Fp16Exponent : Bf16Exponent;
            return tensor.ToArray<ushort>().All(bits => (bits & exponent) != exponent);
        }

        // Frozen weights may lie in another order than their rows'; here it does not matter.
        return KernelSet.For(tensor.Device).Reduction.AllFinite(tensor.Raw, tensor.Count);
    }
}
