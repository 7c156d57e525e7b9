namespace Ldvc.Tensors;

/// <summary>
/// 16-bit floats as bits. Widening is exact. Narrowing rounds to nearest, ties to even; overflow gives infinity, and a NaN stays a NaN of the
/// same sign (the quiet bit is set, so that cutting the payload can never turn it into an infinity).
/// </summary>
public static partial class HalfConversion
{
    /// <summary>The value of a bfloat16: the upper half of a binary32.</summary>
    public static float BFloat16ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest bfloat16.</summary>
    public static ushort SingleToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if ((bits & 0x7FFFFFFF) > 0x7F800000)
        {
            return (ushort)((bits >> 16) | 0x40);
        }

        // Half a unit of the kept part, less one unless the kept part is odd: exactly ties-to-even. A carry moves the exponent up correctly.
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The value of an IEEE binary16.</summary>
    public static float Float16ToSingle(ushort bits)
    {
        uint sign = (uint)(bits & 0x8000) << 16;
        uint rest = (uint)(bits & 0x7FFF);
        if (rest >= 0x7C00)
        {
            uint quiet = rest > 0x7C00 ? 0x400000u : 0u;
            return BitConverter.UInt32BitsToSingle(sign | 0x7F800000 | ((rest & 0x3FF) << 13) | quiet);
        }

        if (rest >= 0x400)
        {
            return BitConverter.UInt32BitsToSingle(sign | ((rest << 13) + ((127u - 15u) << 23)));
        }

        // Subnormal: an integer times 2^-24, exact in binary32.
        float magnitude = rest * (1.0f / (1 << 24));
        return BitConverter.UInt32BitsToSingle(sign | BitConverter.SingleToUInt32Bits(magnitude));
    }

    /// <summary>The nearest IEEE binary16.</summary>
    public static ushort SingleToFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint sign = (bits >> 16) & 0x8000;
        uint rest = bits & 0x7FFFFFFF;
        if (rest > 0x7F800000)
        {
            return (ushort)(sign | 0x7E00 | ((rest >> 13) & 0x3FF));
        }

        // 65520 is halfway between the largest binary16 and the next step: it and everything above rounds to infinity.
        if (rest >= 0x477FF000)
        {
            return (ushort)(sign | 0x7C00);
        }

        if (rest >= ((127u - 14u) << 23))
        {
            uint rebased = rest - ((127u - 15u) << 23);
            return (ushort)(sign | ((rebased + 0xFFF + ((rebased >> 13) & 1)) >> 13));
        }

        // Below the normal range the grid is fixed at 2^-24. Adding 0.5, whose own last bit is 2^-24, lets the hardware round to that grid.
        float shifted = BitConverter.UInt32BitsToSingle(rest) + 0.5f;
        return (ushort)(sign | (BitConverter.SingleToUInt32Bits(shifted) - 0x3F000000));
    }
}
