using System.Runtime.InteropServices;
using Ldvc.Tensors;

namespace Ldvc.Imaging.Matlab;

/// <summary>Reads the numbers of a matrix as labels. MATLAB stores columns, labels are rows; its numbers may be of any type.</summary>
internal static class MatMatrix
{
    private const int ChunkElements = 8192;

    /// <summary>Reads it.</summary>
    /// <param name="reader">Before the matrix's numbers.</param>
    /// <param name="array">What stands before them.</param>
    /// <param name="fileBytes">Bytes of the file, which bound the pixels.</param>
    /// <param name="name">What to call the file.</param>
    /// <exception cref="InputException">Too many pixels, a file that is damaged, or numbers that are no labels.</exception>
    internal static LabelMap16 Read(MatReader reader, MatArray array, int fileBytes, string name)
    {
        (int height, int width) = (array.Sizes[0], array.Sizes[1]);
        PixelLimit.Check(width, height, fileBytes, ImageReader.MaxPixels, name);
        MatTag tag = reader.NextTag() ?? throw reader.Truncated();
        int size = Size(tag.Type);
        long count = (long)width * height;
        if (size == 0 || tag.Bytes != count * size)
        {
            throw reader.Damaged($"expected {count} numbers of {width}x{height} pixels, found {tag.Bytes} bytes of type {(int)tag.Type}");
        }

        var labels = new ushort[count];
        var stored = new byte[ChunkElements * size];
        var values = new double[ChunkElements];
        (int column, int row) = (0, 0);
        for (long done = 0; done < count; done += ChunkElements)
        {
            int many = (int)Math.Min(ChunkElements, count - done);
            Span<byte> bytes = stored.AsSpan(0, many * size);
            reader.ReadBytes(bytes);
            reader.ToMachineOrder(bytes, size);
            Widen(bytes, tag.Type, values);
            for (int i = 0; i < many; i++)
            {
                double value = values[i];
                if (!(value is >= 0 and <= ushort.MaxValue && value == Math.Floor(value)))
                {
                    throw new InputException(FormattableString.Invariant(
                        $"{name}: label value {value} at column {column}, row {row}, expected whole numbers from 0 to {ushort.MaxValue}"));
                }

                labels[((long)row * width) + column] = (ushort)value;
                if (++row == height)
                {
                    (column, row) = (column + 1, 0);
                }
            }
        }

        return new LabelMap16(width, height, labels) { IsOfBytes = array.Kind is MatKind.UInt8 or MatKind.Int8 };
    }

    private static int Size(MatType type) => type switch
    {
        MatType.Int8 or MatType.UInt8 => 1,
        MatType.Int16 or MatType.UInt16 => 2,
        MatType.Int32 or MatType.UInt32 or MatType.Single => 4,
        MatType.Double or MatType.Int64 or MatType.UInt64 => 8,
        _ => 0,
    };

    // Labels are below 2^16, so what a double cannot hold of a 64-bit number is refused either way.
    private static void Widen(Span<byte> bytes, MatType type, double[] values)
    {
        switch (type)
        {
            case MatType.Int8: Copy<sbyte>(bytes, values, value => value); break;
            case MatType.UInt8: Copy<byte>(bytes, values, value => value); break;
            case MatType.Int16: Copy<short>(bytes, values, value => value); break;
            case MatType.UInt16: Copy<ushort>(bytes, values, value => value); break;
            case MatType.Int32: Copy<int>(bytes, values, value => value); break;
            case MatType.UInt32: Copy<uint>(bytes, values, value => value); break;
            case MatType.Single: Copy<float>(bytes, values, value => value); break;
            case MatType.Int64: Copy<long>(bytes, values, value => value); break;
            case MatType.UInt64: Copy<ulong>(bytes, values, value => value); break;
            default: Copy<double>(bytes, values, value => value); break;
        }
    }

    private static void Copy<T>(Span<byte> bytes, double[] values, Func<T, double> widen)
        where T : unmanaged
    {
        ReadOnlySpan<T> stored = MemoryMarshal.Cast<byte, T>(bytes);
        for (int i = 0; i < stored.Length; i++)
        {
            values[i] = widen(stored[i]);
        }
    }
}
