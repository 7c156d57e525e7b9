using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ldvc.Tensors;

/// <summary>Stored elements (little-endian bytes) to the two types the program computes with, and back.</summary>
internal static class ElementConversion
{
    /// <summary>Widens or narrows every element to binary32.</summary>
    public static void ToFloat32(DType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case DType.Float32:
                MemoryMarshal.Cast<byte, float>(source)[..destination.Length].CopyTo(destination);
                break;
            case DType.BFloat16:
                HalfConversion.BFloat16ToSingle(MemoryMarshal.Cast<byte, ushort>(source)[..destination.Length], destination);
                break;
            case DType.Float16:
                HalfConversion.Float16ToSingle(MemoryMarshal.Cast<byte, ushort>(source)[..destination.Length], destination);
                break;
            case DType.Float64:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(source[(i * 8)..]);
                }

                break;
            default:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = Integer(type, source, i);
                }

                break;
        }
    }

    /// <summary>Element <paramref name="index"/> of an integer or bool array.</summary>
    public static long Integer(DType type, ReadOnlySpan<byte> source, int index) => type switch
    {
        DType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(source[(index * 8)..]),
        DType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(source[(index * 4)..]),
        DType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(source[(index * 2)..]),
        DType.Int8 => (sbyte)source[index],
        DType.UInt8 => source[index],
        DType.Bool => source[index] != 0 ? 1 : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an integer type"),
    };

    /// <summary>Stores binary32 values as binary32, bfloat16 or binary16.</summary>
    public static void FromFloat32(DType type, ReadOnlySpan<float> source, Span<byte> destination)
    {
        switch (type)
        {
            case DType.Float32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                break;
            case DType.BFloat16:
                Span<ushort> brain = MemoryMarshal.Cast<byte, ushort>(destination);
                for (int i = 0; i < source.Length; i++)
                {
                    brain[i] = HalfConversion.SingleToBFloat16(source[i]);
                }

                break;
            case DType.Float16:
                Span<ushort> half = MemoryMarshal.Cast<byte, ushort>(destination);
                for (int i = 0; i < source.Length; i++)
                {
                    half[i] = HalfConversion.SingleToFloat16(source[i]);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "floats are stored as Float32, BFloat16 or Float16");
        }
    }
}
