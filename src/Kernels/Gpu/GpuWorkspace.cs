using Ldvc.Tensors;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Scratch memory shared by all kernels of a device: partial sums between the two passes of a reduction, tables of tensors. Kernels run in the order
/// they are queued, so each call may overwrite what the last one left; nothing in it outlives the call that asked for it. It grows in the first step
/// only.
/// </summary>
internal sealed class GpuWorkspace(Device device) : IDisposable
{
    private Tensor? _memory;

    /// <summary>Blocks of the pool that it holds: not a leak.</summary>
    internal int Blocks => _memory is null ? 0 : 1;

    /// <summary>At least this many floats.</summary>
    internal View Floats(long count) => Bytes(checked(count * sizeof(float))).As(DType.Float32);

    /// <summary>At least this many bytes, aligned for any vector access.</summary>
    internal View Bytes(long bytes)
    {
        if (_memory is null || _memory.Count < bytes)
        {
            _memory?.Dispose();
            _memory = null;
            _memory = device.Empty(new Shape(checked((int)Math.Max(bytes, 1 << 20))), DType.UInt8);
        }

        return _memory.View;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();
}
