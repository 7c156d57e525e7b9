using System.Numerics;
using System.Runtime.Intrinsics;

namespace Ldvc.Kernels.MaskLoss.Cpu;

/// <summary>Where a class occurs in a block of a label map of bytes or 32-bit integers.</summary>
internal static unsafe class CpuLabelMask
{
    /// <summary>Whether any of rows x columns labels equals the class.</summary>
    internal static bool Contains<T>(T* labels, int stride, int rows, int columns, T value)
        where T : unmanaged, IBinaryInteger<T>
    {
        var wanted = Vector128.Create(value);
        for (int row = 0; row < rows; row++, labels += stride)
        {
            if (columns < Vector128<T>.Count)
            {
                if (new ReadOnlySpan<T>(labels, columns).Contains(value))
                {
                    return true;
                }

                continue;
            }

            // The last vector may overlap the one before it; it never leaves the row.
            var found = Vector128.Equals(Vector128.Load(labels + columns - Vector128<T>.Count), wanted);
            for (int i = 0; i + Vector128<T>.Count < columns; i += Vector128<T>.Count)
            {
                found |= Vector128.Equals(Vector128.Load(labels + i), wanted);
            }

            if (found != Vector128<T>.Zero)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes -1 where a label equals the class and +1 elsewhere; returns how many do.</summary>
    internal static int Signs<T>(T* labels, int columns, T value, float* signs)
        where T : unmanaged, IBinaryInteger<T>
    {
        var wanted = Vector128.Create(value);
        int positives = 0, i = 0;
        for (; i + Vector128<T>.Count <= columns; i += Vector128<T>.Count)
        {
            var equal = Vector128.Equals(Vector128.Load(labels + i), wanted);
            positives += BitOperations.PopCount(equal.ExtractMostSignificantBits());

            // Equal labels are -1 as signed numbers; twice that plus one is the sign.
            if (typeof(T) == typeof(int))
            {
                Store(equal.AsInt32(), signs + i);
            }
            else
            {
                var (low, high) = Vector128.Widen(equal.AsSByte());
                Store(low, signs + i);
                Store(high, signs + i + 8);
            }
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
        Store(low, signs);
        Store(high, signs + 4);
    }

    private static void Store(Vector128<int> equal, float* signs) => Vector128.ConvertToSingle(equal + equal + Vector128<int>.One).Store(signs);
}
