using Ldvc.Tensors;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>Where our engine computes, and the precision of its products.</summary>
/// <param name="Name">As in --device.</param>
/// <param name="Threads">Of the CPU; 0 = one per core.</param>
/// <param name="Precision">fp32 everywhere but on tensor cores.</param>
internal sealed record WorkDevice(string Name, int Threads, Precision Precision)
{
    internal Device Open()
    {
        var device = DeviceFactory.Open(Name, Threads, profiling: true);
        device.Precision = Precision;
        return device;
    }
}
