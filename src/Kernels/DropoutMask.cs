using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ldvc.Kernels;

/// <summary>
/// The counter-based dropout mask shared by every kernel that drops something: whether element i is kept is a pure function of (key, i), so the
/// backward recomputes the mask and nothing is stored. 32-bit multiplications and shifts only, which every device has.
/// </summary>
internal static class DropoutMask
{
    /// <summary>32 pseudo-random bits of element <paramref name="index"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Bits(ulong key, ulong index)
    {
        uint low = (uint)index ^ (uint)key;
        uint high = (uint)(index >> 32) + (uint)(key >> 32);
        return Mix(Mix(low) + high);
    }

    /// <summary>
    /// The bits of neighbouring elements whose indices have the lower halves <paramref name="index"/> and the upper half <paramref name="high"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<uint> Bits(ulong key, Vector<uint> index, uint high) =>
        Mix(Mix(index ^ new Vector<uint>((uint)key)) + new Vector<uint>(high + (uint)(key >> 32)));

    /// <summary>An element is kept when its bits are at least this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Threshold(float probability) => (uint)(probability * 4294967296.0);

    /// <summary>0 for a dropped element, 1 / (1 - p) for a kept one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Factor(ulong key, ulong index, uint threshold, float keptScale) => Bits(key, index) >= threshold ? keptScale : 0f;

    // A bijective 32-bit mixer: xor-shifts and odd multiplications.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mix(uint x)
    {
        x ^= x >> 16;
        x *= 0x7FEB352Du;
        x ^= x >> 15;
        x *= 0x846CA68Bu;
        x ^= x >> 16;
        return x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Mix(Vector<uint> x)
    {
        x ^= x >> 16;
        x *= new Vector<uint>(0x7FEB352Du);
        x ^= x >> 15;
        x *= new Vector<uint>(0x846CA68Bu);
        x ^= x >> 16;
        return x;
    }
}
