using System.Runtime.InteropServices;
using System.Text;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Lab.Evidence;

/// <summary>The machine that numbers come from.</summary>
/// <param name="Processor">Its name, as the system tells it.</param>
/// <param name="Cores">Cores to use.</param>
/// <param name="System">Operating system.</param>
/// <param name="Runtime">.NET and its version.</param>
internal sealed record Machine(string Processor, int Cores, string System, string Runtime)
{
    // Of a server with hundreds of cores; the name stands in the first lines.
    private const int LargestCpuInfo = 16 << 20;

    /// <summary>This one.</summary>
    internal static Machine Here { get; } =
        new(ProcessorName(), Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription);

    private static string ProcessorName()
    {
        const string CpuInfo = "/proc/cpuinfo";
        const string Key = "model name";
        string? name = null;
        try
        {
            name = File.Exists(CpuInfo)
                ? Encoding.UTF8.GetString(PlainFile.ReadAll(CpuInfo, LargestCpuInfo)).Split('\n')
                    .FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..].Trim('\t', ' ', ':')
                : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        }
        catch (InputException)
        {
            // A system may hide it.
        }

        return string.IsNullOrWhiteSpace(name) ? $"{RuntimeInformation.ProcessArchitecture} processor" : name.Trim();
    }
}
