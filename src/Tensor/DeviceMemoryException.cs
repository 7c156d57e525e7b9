namespace Ldvc.Tensors;

/// <summary>
/// The device has no room for a block; the message says how much it could still give. <see cref="Device.Empty"/> adds what it was for.
/// </summary>
internal sealed class DeviceMemoryException : Exception
{
    internal DeviceMemoryException(string message)
        : base(message)
    {
    }

    internal DeviceMemoryException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
