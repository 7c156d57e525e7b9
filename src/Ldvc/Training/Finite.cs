using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>Finds NaN and infinity in a tensor of any type that a model's values have.</summary>
internal static class Finite
{
    // Exponent of a bf16 value; all ones = infinity or NaN.
    private const ushort Bf16Exponent = 0x7F80;

    /// <summary>
    /// Whether every value is finite. Float32 values are checked on the device; bf16 ones, of which there is no kernel, on the host: a run that
    /// diverged has the time.
    /// </summary>
    internal static bool All(Tensor tensor)
    {
        if (tensor.DType == DType.BFloat16)
        {
            return tensor.ToArray<ushort>().All(bits => (bits & Bf16Exponent) != Bf16Exponent);
        }

        // Frozen weights may lie in another order than their rows'; here it does not matter.
        return KernelSet.For(tensor.Device).Reduction.AllFinite(tensor.Raw, tensor.Count);
    }
}
