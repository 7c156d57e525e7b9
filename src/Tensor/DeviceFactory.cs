using System.Globalization;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Tensors;

/// <summary>Opens devices by the names that the command line uses.</summary>
public static class DeviceFactory
{
    /// <summary>The names, for messages.</summary>
    public const string Forms = "cpu, cuda, cuda:1, opencl, opencl:1 or simulator";

    /// <summary>Opens cpu | cuda[:i] | opencl[:i] | simulator.</summary>
    /// <param name="name">The device's name.</param>
    /// <param name="threads">Threads of the CPU device; 0 means one per core.</param>
    /// <param name="profiling">Lets a GPU's stream be timed by the device itself (<see cref="GpuDevice.Time"/>); costs a little at every launch on OpenCL.</param>
    /// <exception cref="InputException">The name is none of these, or the machine has no such device.</exception>
    public static Device Open(string name, int threads = 0, bool profiling = false)
    {
        if (!TryParse(name, out string kind, out int index))
        {
            throw new InputException($"device '{name}': expected {Forms}");
        }

        return kind switch
        {
            "cuda" => GpuPlatform.Open(GpuKind.Cuda, index, profiling: profiling),
            "opencl" => GpuPlatform.Open(GpuKind.OpenCl, index, profiling: profiling),
            "simulator" => GpuPlatform.Open(GpuKind.Simulator, 0, profiling: profiling),
            _ => new CpuDevice(threads),
        };
    }

    /// <summary>Splits a name into its kind and index; false when it is none of the forms.</summary>
    public static bool TryParse(string name, out string kind, out int index)
    {
        string[] parts = name.Split(':');
        (kind, index) = (parts[0], 0);
        return parts switch
        {
            ["cpu" or "cuda" or "opencl" or "simulator"] => true,
            ["cuda" or "opencl", var number] => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out index),
            _ => false,
        };
    }
}
