namespace Ldvc.Tensors;

/// <summary>An open range on a profiler's time line (<see cref="Device.Range"/>), closed by Dispose; nothing on devices without ranges.</summary>
public readonly struct DeviceRange : IDisposable
{
    private readonly IDeviceRanges? _ranges;

    internal DeviceRange(IDeviceRanges ranges) => _ranges = ranges;

    /// <summary>Closes the range.</summary>
    public void Dispose() => _ranges?.Pop();
}

/// <summary>The ranges that a thread has opened, one inside the other.</summary>
internal interface IDeviceRanges
{
    /// <summary>Closes the innermost.</summary>
    void Pop();
}
