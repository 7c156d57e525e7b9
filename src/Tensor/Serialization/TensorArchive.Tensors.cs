namespace Ldvc.Tensors.Serialization;

public abstract partial class TensorArchive
{
    /// <summary>Reads a tensor onto a device.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="device">Where it goes.</param>
    /// <returns>Float32 for floats of any size, UInt8 for UInt8 and Bool, Int32 for other integers. The caller owns it.</returns>
    /// <exception cref="InputException">
    /// There is no such tensor, it has more than six dimensions or 2^31 elements, an integer exceeds 32 bits, the file is damaged, or the device is
    /// full.
    /// </exception>
    public Tensor Read(string name, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var entry = Entry(name);
        var shape = entry.ToShape(Path);
        switch (entry.DType)
        {
            case DType.Float32 or DType.BFloat16 or DType.Float16 or DType.Float64:
                return device.FromHost(ReadFloat32(name), shape);
            case DType.UInt8 or DType.Bool:
                return device.FromHost(Array.ConvertAll(ReadInt32(name), v => (byte)v), shape);
            default:
                return device.FromHost(ReadInt32(name), shape);
        }
    }
}
