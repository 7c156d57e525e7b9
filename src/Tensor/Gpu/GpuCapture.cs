namespace Ldvc.Tensors.Gpu;

/// <summary>
/// A capture that runs on a device, and afterwards the memory that the captured work names. Blocks that it rents come from a hold of the pool. Blocks
/// that were there before (weights, scratch memory, caches) are kept by it: whoever else gives one back, nobody gets it. What the work copies from
/// the host lies on the device from then on, in blocks that it writes nothing else to.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="hold">Where the work's own blocks come from; it is open.</param>
internal sealed class GpuCapture(GpuDevice device, PoolHold hold)
{
    private readonly HashSet<Storage> _kept = [];
    private readonly List<(Storage Target, byte[] Values)> _constants = [];

    /// <summary>The work reads or writes a block.</summary>
    internal void Touch(GpuStorage storage)
    {
        if (storage.Hold != hold)
        {
            Keep(storage);
        }
    }

    /// <summary>
    /// Values on the device that are the same at every launch. They lie outside of the hold, whose blocks the work writes to again and again.
    /// </summary>
    internal GpuStorage Constant(ReadOnlySpan<byte> values)
    {
        Storage block;
        device.Pool.CloseHold();
        try
        {
            block = device.Pool.Rent(Math.Max(1, values.Length));
        }
        finally
        {
            device.Pool.Open(hold);
        }

        _kept.Add(block);
        _constants.Add((block, values.ToArray()));
        return (GpuStorage)block;
    }

    /// <summary>Stops a capture in which something happens that a graph cannot repeat.</summary>
    /// <exception cref="GraphException">Always.</exception>
    internal void Refuse(string what, long bytes = 0) => throw new GraphException(what, bytes);

    /// <summary>Copies the constants, after the capture and before its first launch.</summary>
    internal void Settle()
    {
        foreach (var (target, values) in _constants)
        {
            device.UploadAddresses(target, values);
        }

        _constants.Clear();
    }

    /// <summary>Lets all memory go.</summary>
    internal void Release()
    {
        foreach (var storage in _kept)
        {
            storage.Release();
        }

        _kept.Clear();
        _constants.Clear();
    }

    private void Keep(GpuStorage storage)
    {
        if (_kept.Add(storage))
        {
            storage.Retain();
        }
    }
}
