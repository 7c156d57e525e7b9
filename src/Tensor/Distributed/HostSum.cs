using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed;

/// <summary>
/// Sums a tensor through host memory, in float32: for devices whose memory a group cannot reach, and for elements that it cannot add.
/// </summary>
internal static class HostSum
{
    /// <summary>Begins the sum of a copy; the values are overwritten when it is waited for.</summary>
    internal static IPendingSum Begin(IProcessGroup group, Tensor values)
    {
        Tensor held = values.Share();
        float[] host = Read(held);
        IPendingSum sum = group.BeginSum(host.AsMemory());
        return new PendingSum(() =>
        {
            sum.Wait();
            Write(held, host);
            held.Dispose();
        });
    }

    private static float[] Read(Tensor values)
    {
        if (values.DType == DType.Float32)
        {
            return values.ToArray();
        }

        var host = new float[values.Count];
        ElementConversion.ToFloat32(values.DType, MemoryMarshal.AsBytes(values.ToArray<ushort>().AsSpan()), host);
        return host;
    }

    private static void Write(Tensor values, float[] host)
    {
        if (values.DType == DType.Float32)
        {
            values.CopyFromHost<float>(host);
            return;
        }

        var rounded = new ushort[host.Length];
        ElementConversion.FromFloat32(values.DType, host, MemoryMarshal.AsBytes(rounded.AsSpan()));
        values.CopyFromHost<ushort>(rounded);
    }
}
