using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// CRC-32C (Castagnoli), which processors compute themselves, 8 bytes at a time. Any one changed bit, and any burst of at most 32, changes it for
/// certain.
/// </summary>
internal static class Crc32C
{
    /// <summary>The checksum of bytes, or of bytes that follow others.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="before">The checksum of what came before; 0 = nothing did.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // A file's bytes pass here in few calls.
    internal static uint Of(ReadOnlySpan<byte> data, uint before = 0)
    {
        uint crc = ~before;
        for (; data.Length >= 8; data = data[8..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        }

        foreach (byte value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
