using Ldvc.Tensors;

namespace Ldvc.Tests.Misuse;

/// <summary>
/// A CPU whose blocks lie between guards and start as NaN: what is written outside a tensor is an error when the tensor is freed, and what is read
/// outside one, or never written, shows as NaN.
/// </summary>
internal static class WatchedDevice
{
    /// <summary>Opens one of one thread.</summary>
    internal static CpuDevice Open() => new(1, watched: true);
}
