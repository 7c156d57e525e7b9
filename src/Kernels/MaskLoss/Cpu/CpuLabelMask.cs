using System.Numerics;
using System.Runtime.Intrinsics;

namespace Ldvc.Kernels.MaskLoss.Cpu;

/// <summary>Where a class occurs in a block of a label map.</summary>
internal static unsafe class CpuLabelMask
{
    /// <summary>Whether any of rows x columns labels equals the class.</summary>
    internal static bool Contains(byte* labels, int stride, int rows, int columns, byte value)
    {
        var wanted = Vector128.Create(value);
        for (int row = 0; row < rows; row++, labels += stride)
        {
            if (columns < Vector128<byte>.Count)
            {
                if (new ReadOnlySpan<byte>(labels, columns).Contains(value))
                {
                    return true;
                }

                continue;
            }

            // The last vector may overlap the one before it; it never leaves the row.
            var found = Vector128.Equals(Vector128.Load(labels + columns - Vector128<byte>.Count), wanted);
            for (int i = 0; i + Vector128<byte>.Count < columns; i += Vector128<byte>.Count)
            {
                found |= Vector128.Equals(Vector128.Load(labels + i), wanted);
            }

            if (found != Vector128<byte>.Zero)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes -1 where a label equals the class and +1 elsewhere; returns how many do.</summary>
    internal static int Signs(byte* labels, int columns, byte value, float* signs)
    {
        var wanted = Vector128.Create(value);
        int positives = 0, i = 0;
        for (; i + Vector128<byte>.Count <= columns; i += Vector128<byte>.Count)
        {
            var equal = Vector128.Equals(Vector128.Load(labels + i), wanted);
            positives += BitOperations.PopCount(equal.ExtractMostSignificantBits());

            // Equal bytes are -1 as signed numbers; twice that plus one is the sign.
            var (low, high) = Vector128.Widen(equal.AsSByte());
            Store(low, signs + i);
            Store(high, signs + i + 8);
        }

        for (; i < columns; i++)
        {
            bool equal = labels[i] == value;
            positives += equal ? 1 : 0;
            signs[i] = equal ? -1f : 1f;
        }

        return positives;
    }

    private static void Store(Vector128<short> equal, float* signs)
    {
        var (low, high) = Vector128.Widen(equal);
        Vector128.ConvertToSingle(low + low + Vector128<int>.One).Store(signs);
        Vector128.ConvertToSingle(high + high + Vector128<int>.One).Store(signs + 4);
    }
}
