using System.Globalization;
using System.Runtime;

namespace Ldvc.Bench.Compare;

/// <summary>Resident memory of this process as Linux counts it.</summary>
internal static class ProcessMemory
{
    /// <summary>MiB resident now.</summary>
    internal static double Resident => Read("VmRSS:");

    /// <summary>Maximum MiB resident since the start or the last <see cref="Reset"/>.</summary>
    internal static double Peak => Read("VmHWM:");

    /// <summary>Returns what is free to the system and starts a new peak.</summary>
    internal static void Reset()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(2, GCCollectionMode.Aggressive, true, true);
        File.WriteAllText("/proc/self/clear_refs", "5");
    }

    private static double Read(string key)
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return double.Parse(line.AsSpan(key.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture) / 1024;
            }
        }

        throw new InvalidOperationException($"/proc/self/status has no {key}");
    }
}
