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
    internal static float[] Rounded(float[] values) => [.. values.Select(x => BitConverter.UInt32BitsToSingle(Bf16.Round(x) << 16))];
}
