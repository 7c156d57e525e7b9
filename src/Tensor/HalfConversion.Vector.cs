using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ldvc.Tensors;

/// <summary>Whole arrays, several values at a time: a CLIP in 16 bits is widened when it is loaded.</summary>
public static partial class HalfConversion
{
    private const uint SingleInfinity = 0x7F80_0000, Quiet = 0x40_0000;

    /// <summary>The same as <see cref="BFloat16ToSingle(ushort)"/> of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void BFloat16ToSingle(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i + Vector<ushort>.Count <= source.Length; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            Vector.AsVectorSingle(low << 16).CopyTo(destination[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = BFloat16ToSingle(source[i]);
        }
    }

    /// <summary>The same as <see cref="Float16ToSingle(ushort)"/> of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Float16ToSingle(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i + Vector<ushort>.Count <= source.Length; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            Widen(low).CopyTo(destination[i..]);
            Widen(high).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = Float16ToSingle(source[i]);
        }
    }

    // The fields moved to their places in binary32 are the value times 2^-112, subnormals too, so one exact product does it. Infinity and NaN have an
    // exponent of their own.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Widen(Vector<uint> bits)
    {
        Vector<uint> sign = (bits & new Vector<uint>(0x8000)) << 16, rest = (bits & new Vector<uint>(0x7FFF)) << 13;
        var infinity = new Vector<uint>(0x7C00 << 13);
        Vector<uint> finite = Vector.AsVectorUInt32(Vector.AsVectorSingle(rest) * new Vector<float>(5.192296858534828e33f));
        Vector<uint> special = rest | new Vector<uint>(SingleInfinity) | (Vector.GreaterThan(rest, infinity) & new Vector<uint>(Quiet));
        return Vector.AsVectorSingle(sign | Vector.ConditionalSelect(Vector.GreaterThanOrEqual(rest, infinity), special, finite));
    }
}
