using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>Looks for NaN and infinity in values on the host.</summary>
internal static class FiniteScan
{
    private const int Exponent = 0x7F80_0000;

    /// <summary>Index of the first value that is NaN or infinite; -1 when there is none.</summary>
    // Called a few times with a hundred million values: it would be over before the runtime optimises it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int FirstBad(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(values);
        var exponent = new Vector<int>(Exponent);
        int i = 0;
        for (; i + Vector<int>.Count <= bits.Length; i += Vector<int>.Count)
        {
            if (Vector.EqualsAny(new Vector<int>(bits[i..]) & exponent, exponent))
            {
                break;
            }
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Exponent) == Exponent)
            {
                return i;
            }
        }

        return -1;
    }
}
