using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>What --device names: a kind and, for kinds that a machine may have several of, an index.</summary>
internal sealed record DeviceChoice(string Kind, int Index)
{
    /// <summary>The default.</summary>
    public static DeviceChoice Cpu { get; } = new("cpu", 0);

    /// <summary>Reads cpu | cuda[:i] | opencl[:i] | simulator.</summary>
    /// <exception cref="InputException">It is none of these.</exception>
    public static DeviceChoice Parse(string text) => DeviceFactory.TryParse(text, out string kind, out int index)
        ? new DeviceChoice(kind, index)
        : throw new InputException($"--device: expected {DeviceFactory.Forms}, found {ConfigText.Quote(text)}.");

    /// <summary>Opens the device.</summary>
    /// <exception cref="InputException">The machine has no such device.</exception>
    public Device Open(int threads) => DeviceFactory.Open(Kind is "cuda" or "opencl" ? $"{Kind}:{Index}" : Kind, threads);
}
