namespace Ldvc.Bench.Scale;

/// <summary>A connection between cards or nodes.</summary>
/// <param name="Name">For people.</param>
/// <param name="GigabytesPerSecond">Its rate in one direction, as it is sold.</param>
/// <param name="StepMicroseconds">What one step of a ring costs beside the bytes.</param>
internal sealed record Link(string Name, double GigabytesPerSecond, double StepMicroseconds)
{
    internal static Link NvLink { get; } = new("NVLink 4", 450, 3);

    internal static Link Pcie5 { get; } = new("PCIe 5.0 x16", 63, 6);

    internal static Link Pcie4 { get; } = new("PCIe 4.0 x16", 31.5, 6);

    /// <summary>A network port with this many Gb/s.</summary>
    internal static Link Network(int gigabits) => new($"{gigabits} Gb/s", gigabits / 8.0, 10);
}
