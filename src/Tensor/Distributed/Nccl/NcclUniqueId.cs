using System.Runtime.InteropServices;

namespace Ldvc.Tensors.Distributed.Nccl;

/// <summary>What the ranks of one communicator share: 128 bytes that rank 0 makes, passed to NCCL by value.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal unsafe struct NcclUniqueId
{
    /// <summary>Its size.</summary>
    internal const int Bytes = 128;

    private fixed byte _bytes[Bytes];

    /// <summary>The bytes.</summary>
    internal static Span<byte> Of(ref NcclUniqueId id) => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref id, 1));
}
