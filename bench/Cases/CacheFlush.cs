using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Bench.Cases;

/// <summary>
/// Reads and writes more than any last-level cache holds, so that the next call finds its inputs in memory. Clearing a block would not do: large
/// clears write past the caches.
/// </summary>
internal sealed class CacheFlush : IDisposable
{
    private const int Floats = 24 << 20;
    private readonly KernelSet _kernels;
    private readonly Tensor? _block;

    internal CacheFlush(Device device, bool none)
    {
        _kernels = KernelSet.For(device);
        _block = none ? null : device.Zeros(new Shape(Floats));
    }

    internal void Run()
    {
        if (_block is not null)
        {
            _kernels.Elementwise.Scale(_block, 0.5f, _block, false, Floats);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _block?.Dispose();
}
