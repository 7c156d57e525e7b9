using System.Collections.Concurrent;
using System.Globalization;

namespace Ldvc.Tensors;

/// <summary>Opens devices by the names that the command line uses.</summary>
public static class DeviceFactory
{
    /// <summary>The names, for messages.</summary>
    public const string Forms = "cpu, cuda, cuda:1, opencl, opencl:1 or simulator";

    // What opens the kinds that are not the CPU, by their words: the namespaces that drive them put themselves in.
    private static readonly ConcurrentDictionary<string, Func<int, bool, Device>> s_openers = [];

    /// <summary>Opens cpu | cuda[:i] | opencl[:i] | simulator.</summary>
    /// <param name="name">The device's name.</param>
    /// <param name="threads">Threads of the CPU device; 0 means one per core.</param>
    /// <param name="profiling">Lets a GPU's stream be timed by the device itself (its Time); costs a little at every launch on OpenCL.</param>
    /// <exception cref="InputException">The name is none of these, or the machine has no such device.</exception>
    public static Device Open(string name, int threads = 0, bool profiling = false)
    {
        if (!TryParse(name, out string kind, out int index))
        {
            throw new InputException($"device '{name}': expected {Forms}");
        }

        return s_openers.TryGetValue(kind, out var open) ? open(index, profiling) : new CpuDevice(threads);
    }

    /// <summary>Splits a name into its kind and index; false when it is none of the forms.</summary>
    public static bool TryParse(string name, out string kind, out int index)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name.Split(':');
        (kind, index) = (parts[0], 0);
        return parts switch
        {
            ["cpu" or "cuda" or "opencl" or "simulator"] => true,
            ["cuda" or "opencl", var number] => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out index),
            _ => false,
        };
    }

    /// <summary>Makes a kind of device known.</summary>
    /// <param name="kind">Its word on the command line.</param>
    /// <param name="open">Opens one by its number; the second argument asks for profiling.</param>
    internal static void Register(string kind, Func<int, bool, Device> open) => s_openers[kind] = open;
}
