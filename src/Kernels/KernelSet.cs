using Ldvc.Kernels.Normalization;
using Ldvc.Tensors;

namespace Ldvc.Kernels;

/// <summary>The kernels of one device, a contract per family. The only place where a device is matched with its implementations.</summary>
internal sealed class KernelSet : IDisposable
{
    internal required INormalizationKernels Normalization { get; init; }

    /// <summary>The device's kernels, created on first use.</summary>
    internal static KernelSet For(Device device)
    {
        if (device.Kernels is KernelSet known)
        {
            return known;
        }

        lock (device)
        {
            if (device.Kernels is not KernelSet set)
            {
                device.Kernels = set = device switch
                {
                    CpuDevice cpu => CreateCpu(cpu),
                    _ => throw new NotSupportedException($"there are no kernels for device '{device.Name}'"),
                };
            }

            return set;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => (Normalization as IDisposable)?.Dispose();

    private static KernelSet CreateCpu(CpuDevice device) => new()
    {
        Normalization = new CpuNormalization(device.Threads),
    };
}
