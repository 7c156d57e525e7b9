using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Cli;

/// <summary>What --device names: a kind and, for kinds that a machine may have several of, an index.</summary>
internal sealed record DeviceChoice(string Kind, int Index)
{
    private const string Forms = "cpu, cuda, cuda:1, opencl, opencl:1 or simulator";

    /// <summary>The default.</summary>
    public static DeviceChoice Cpu { get; } = new("cpu", 0);

    /// <summary>Reads cpu | cuda[:i] | opencl[:i] | simulator.</summary>
    /// <exception cref="InputException">It is none of these, or none that this build has.</exception>
    public static DeviceChoice Parse(string text)
    {
        string[] parts = text.Split(':');
        int index = 0;
        bool valid = parts switch
        {
            ["cpu" or "simulator" or "cuda" or "opencl"] => true,
            ["cuda" or "opencl", var number] => int.TryParse(number, System.Globalization.NumberStyles.None, null, out index),
            _ => false,
        };
        if (!valid)
        {
            throw new InputException($"--device: expected {Forms}, found {ConfigText.Quote(text)}.");
        }

        return parts[0] == "cpu"
            ? new DeviceChoice(parts[0], index)
            : throw new InputException(
                $"--device: this build has only the CPU device, found {ConfigText.Quote(text)}; leave --device away or say cpu.");
    }
}
