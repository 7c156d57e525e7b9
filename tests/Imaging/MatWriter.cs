using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Ldvc.Imaging.Matlab;

namespace Ldvc.Tests.Imaging;

/// <summary>
/// Writes MATLAB files, version 5, as the description of the format has them: numbers in any type, small elements, either order of bytes.
/// </summary>
internal sealed class MatWriter(bool bigEndian = false)
{
    private readonly List<byte> _file = [];

    /// <summary>The file with the variables added so far.</summary>
    public byte[] File()
    {
        var header = new byte[128];
        Array.Fill(header, (byte)' ', 0, 116);
        Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file, Platform: GLNXA64", header);
        header[bigEndian ? 125 : 124] = 0;
        header[bigEndian ? 124 : 125] = 1;
        (header[126], header[127]) = bigEndian ? ((byte)'M', (byte)'I') : ((byte)'I', (byte)'M');
        return [.. header, .. _file];
    }

    /// <summary>Adds a variable.</summary>
    public MatWriter Add(byte[] array, bool compressed = false)
    {
        if (!compressed)
        {
            _file.AddRange(array);
            return this;
        }

        using var memory = new MemoryStream();
        using (var zlib = new ZLibStream(memory, CompressionMode.Compress, leaveOpen: true))
        {
            zlib.Write(array);
        }

        _file.AddRange([.. Number((uint)MatType.Compressed, 4), .. Number((uint)memory.Length, 4), .. memory.ToArray()]);
        return this;
    }

    /// <summary>A matrix, column behind column.</summary>
    public byte[] Matrix(string name, MatKind kind, MatType type, int rows, int columns, double[] values, uint flags = 0) =>
        Element(MatType.Matrix, [.. Head(name, kind, flags, rows, columns), .. Element(type, [.. values.SelectMany(value => Number(type, value))])]);

    /// <summary>A matrix of zeros.</summary>
    public byte[] Zeros(int rows, int columns) =>
        Element(MatType.Matrix, [.. Head("", MatKind.UInt8, 0, rows, columns), .. Element(MatType.UInt8, new byte[rows * columns])]);

    /// <summary>A structure of one element.</summary>
    public byte[] Struct(string name, params (string Name, byte[] Array)[] fields) => Element(MatType.Matrix,
    [
        .. Head(name, MatKind.Struct, 0, 1, 1),
        .. Element(MatType.Int32, Number(32, 4)),
        .. Element(MatType.Int8, [.. fields.SelectMany(field => Encoding.ASCII.GetBytes(field.Name.PadRight(32, '\0')))]),
        .. fields.SelectMany(field => field.Array),
    ]);

    /// <summary>An array of cells, column behind column.</summary>
    public byte[] Cells(string name, params byte[][] arrays) =>
        Element(MatType.Matrix, [.. Head(name, MatKind.Cell, 0, 1, arrays.Length), .. arrays.SelectMany(array => array)]);

    private byte[] Head(string name, MatKind kind, uint flags, params int[] sizes) =>
    [
        .. Element(MatType.UInt32, [.. Number((uint)kind | flags, 4), .. Number(0, 4)]),
        .. Element(MatType.Int32, [.. sizes.SelectMany(size => Number((uint)size, 4))]),
        .. Element(MatType.Int8, Encoding.ASCII.GetBytes(name)),
    ];

    // Up to four bytes stand in the tag.
    private byte[] Element(MatType type, byte[] bytes) => bytes.Length is > 0 and <= 4
        ? [.. Number((uint)type | ((uint)bytes.Length << 16), 4), .. bytes, .. new byte[4 - bytes.Length]]
        : [.. Number((uint)type, 4), .. Number((uint)bytes.Length, 4), .. bytes, .. new byte[(8 - (bytes.Length % 8)) % 8]];

    private byte[] Number(MatType type, double value) => type switch
    {
        MatType.Single => Ordered(BitConverter.GetBytes((float)value)),
        MatType.Double => Ordered(BitConverter.GetBytes(value)),
        MatType.Int8 or MatType.UInt8 => Number((ulong)(long)value, 1),
        MatType.Int16 or MatType.UInt16 => Number((ulong)(long)value, 2),
        MatType.Int32 or MatType.UInt32 => Number((ulong)(long)value, 4),
        _ => Number((ulong)(long)value, 8),
    };

    private byte[] Number(ulong value, int bytes)
    {
        var all = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(all, value);
        return Ordered(all[..bytes]);
    }

    private byte[] Ordered(byte[] littleEndian) => bigEndian ? [.. littleEndian.Reverse()] : littleEndian;
}
