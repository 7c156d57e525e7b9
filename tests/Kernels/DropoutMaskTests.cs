using System.Numerics;
using Ldvc.Kernels;
using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>The backward may draw a mask with vectors that the forward drew one by one, or on another device.</summary>
public class DropoutMaskTests
{
    [Theory]
    [InlineData(0UL, 0UL)]
    [InlineData(0x123456789ABCDEFUL, 77UL)]
    [InlineData(0xFFFFFFFF00000001UL, 0xFFFFFFF0UL - 64)]
    [InlineData(0x8000000080000000UL, 5UL << 32)]
    public void VectorsHaveTheSameBits(ulong key, ulong first)
    {
        var bits = DropoutMask.Bits(key, Vector<uint>.Indices + new Vector<uint>((uint)first), (uint)(first >> 32));
        for (int lane = 0; lane < Vector<uint>.Count; lane++)
        {
            Assert.Equal(DropoutMask.Bits(key, first + (ulong)lane), bits[lane]);
        }
    }
}
