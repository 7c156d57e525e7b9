using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ldvc.Tensors.Gpu;

/// <summary>Tells <see cref="DeviceFactory"/> about the devices of this namespace.</summary>
internal static class GpuRegistration
{
    /// <summary>Runs when the assembly is loaded.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "It only fills a table of this assembly: so the base namespace need not know the one built "
        + "on it.")]
    internal static void Register()
    {
        DeviceFactory.Register("cuda", (index, profiling) => GpuPlatform.Open(GpuKind.Cuda, index, profiling: profiling));
        DeviceFactory.Register("opencl", (index, profiling) => GpuPlatform.Open(GpuKind.OpenCl, index, profiling: profiling));
        DeviceFactory.Register("simulator", (_, profiling) => GpuPlatform.Open(GpuKind.Simulator, 0, profiling: profiling));
    }
}
