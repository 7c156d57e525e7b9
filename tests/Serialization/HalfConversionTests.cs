using System.Runtime.InteropServices;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Xunit;

namespace Ldvc.Tests.Serialization;

public class HalfConversionTests
{
    [Fact]
    public void WideningFloat16AgreesWithTheRuntimeForAllBits()
    {
        for (int i = 0; i <= ushort.MaxValue; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            float got = HalfConversion.Float16ToSingle((ushort)i);
            bool sameBits = BitConverter.SingleToUInt32Bits(expected) == BitConverter.SingleToUInt32Bits(got);
            Assert.True(sameBits || (float.IsNaN(expected) && float.IsNaN(got)), $"{i:x4}");
        }
    }

    [Fact]
    public void NarrowingToFloat16AgreesWithTheRuntimeAroundEveryValueAndEveryTie()
    {
        for (int i = 0; i < 0x7C00; i++)
        {
            float low = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            float high = i == 0x7BFF ? 65536f : (float)BitConverter.UInt16BitsToHalf((ushort)(i + 1));
            float tie = low + ((high - low) / 2);
            float[] around = [low, MathF.BitIncrement(low), MathF.BitDecrement(tie), tie, MathF.BitIncrement(tie), MathF.BitDecrement(high)];
            foreach (float x in around)
            {
                Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x), HalfConversion.SingleToFloat16(x));
                Assert.Equal(BitConverter.HalfToUInt16Bits((Half)(-x)), HalfConversion.SingleToFloat16(-x));
            }
        }
    }

    [Fact]
    public void NarrowingRandomBitsAgrees()
    {
        var random = new CounterRandom(3);
        for (int i = 0; i < 300_000; i++)
        {
            float x = BitConverter.UInt32BitsToSingle((uint)random.NextBits());
            if (float.IsNaN(x))
            {
                Assert.True(Half.IsNaN(BitConverter.UInt16BitsToHalf(HalfConversion.SingleToFloat16(x))));
                Assert.True(float.IsNaN(HalfConversion.BFloat16ToSingle(HalfConversion.SingleToBFloat16(x))));
                continue;
            }

            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x), HalfConversion.SingleToFloat16(x));
            Assert.Equal(NearestBFloat16(x), HalfConversion.SingleToBFloat16(x));
        }
    }

    [Fact]
    public void BFloat16KeepsItsOwnValuesAndRoundsTiesToEven()
    {
        for (int i = 0; i <= ushort.MaxValue; i++)
        {
            float x = HalfConversion.BFloat16ToSingle((ushort)i);
            ushort back = HalfConversion.SingleToBFloat16(x);
            Assert.True(back == i || (float.IsNaN(x) && back == (i | 0x40)), $"{i:x4}");
        }

        Assert.Equal(0x3F80, HalfConversion.SingleToBFloat16(BitConverter.UInt32BitsToSingle(0x3F808000)));
        Assert.Equal(0x3F82, HalfConversion.SingleToBFloat16(BitConverter.UInt32BitsToSingle(0x3F818000)));
        Assert.Equal(0x7F80, HalfConversion.SingleToBFloat16(float.MaxValue));

        // A NaN whose payload lies in the lower half only must not become an infinity.
        Assert.True(float.IsNaN(HalfConversion.BFloat16ToSingle(HalfConversion.SingleToBFloat16(BitConverter.UInt32BitsToSingle(0xFF800001)))));
    }

    // By distance in double, the independent way.
    private static ushort NearestBFloat16(float x)
    {
        ushort down = (ushort)(BitConverter.SingleToUInt32Bits(x) >> 16);
        ushort up = (ushort)(down + 1);
        double low = Math.Abs((double)HalfConversion.BFloat16ToSingle(down));
        double high = (up & 0x7FFF) == 0x7F80 ? Math.ScaleB(1, 128) : Math.Abs((double)HalfConversion.BFloat16ToSingle(up));
        double value = Math.Abs((double)x);
        if (double.IsInfinity(value) || value - low < high - value)
        {
            return down;
        }

        return value - low > high - value || (down & 1) == 1 ? up : down;
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void ArraysAreWidenedLikeSingleValues(DType type)
    {
        // Every pattern, from another position in a vector each time, and an end that fills none.
        ushort[] all = [.. Enumerable.Range(0, 1 << 16).Select(i => (ushort)i)];
        foreach (int first in (int[])[0, 1, 5, (1 << 16) - 3])
        {
            ReadOnlySpan<ushort> part = all.AsSpan(first);
            var wide = new float[part.Length];
            ElementConversion.ToFloat32(type, MemoryMarshal.AsBytes(part), wide);
            for (int i = 0; i < wide.Length; i++)
            {
                float expected = type == DType.Float16 ? HalfConversion.Float16ToSingle(part[i]) : HalfConversion.BFloat16ToSingle(part[i]);
                Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(wide[i]));
            }
        }
    }
}
