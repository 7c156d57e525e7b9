using Ldvc.Kernels.Gpu.Intrinsics;
using Ldvc.Tensors;

namespace Ldvc.Tests.Gpu;

/// <summary>Inputs of tensor-core tests.</summary>
internal static class TensorCoreReference
{
    /// <summary>Normal numbers.</summary>
    internal static float[] Normal(int count, ulong stream)
    {
        var random = new CounterRandom(91, stream);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)random.NextNormal();
        }

        return values;
    }

    /// <summary>The values as the tensor cores see them.</summary>
    internal static float[] Rounded(float[] values, DType half = DType.BFloat16) =>
        [.. values.Select(x => half == DType.Float16 ? (float)(Half)x : BitConverter.UInt32BitsToSingle(Bf16.Round(x) << 16))];

    /// <summary>The values of a tensor of 16 bits.</summary>
    internal static float[] Widened(Tensor tensor) =>
        [.. tensor.ToArray<ushort>().Select(
            bits => tensor.DType == DType.Float16 ? (float)BitConverter.UInt16BitsToHalf(bits) : BitConverter.UInt32BitsToSingle((uint)bits << 16))];
}
