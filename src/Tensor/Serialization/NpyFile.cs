using System.Buffers.Binary;
using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// A NumPy file (.npy, versions 1 to 3) of one array of floats with 16, 32 or 64 bits, little-endian, in C or Fortran order. The header is read as
/// data: nothing is evaluated, and arrays of objects, which hold pickles, are refused.
/// </summary>
internal sealed class NpyFile
{
    private const int MaxHeader = 1 << 16;
    private const int FixedBytes = 8;

    private NpyFile(string path, NpyHeader header, float[] values) => (Path, Shape, DType, Values) = (path, header.Shape, header.Type, values);

    /// <summary>The file, as it was named.</summary>
    public string Path { get; }

    /// <summary>Sizes, outermost first.</summary>
    public long[] Shape { get; }

    /// <summary>The stored type: Float16, Float32 or Float64.</summary>
    public DType DType { get; }

    /// <summary>The elements in row-major order as binary32; NaN and infinity come through.</summary>
    public float[] Values { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mostElements">The largest array that is of any use; a larger one is refused before memory is taken.</param>
    /// <exception cref="InputException">It is missing, damaged, too large, or holds something else.</exception>
    public static NpyFile Read(string path, int mostElements)
    {
        using ArchiveSource source = ArchiveSource.Open(path);
        Span<byte> start = stackalloc byte[FixedBytes + 4];
        int had = (int)Math.Min(start.Length, source.Length);
        source.Read(0, start[..had]);
        if (had < start.Length || start[0] != 0x93 || !start[1..].StartsWith("NUMPY"u8))
        {
            throw new InputException(
                $"{path}: expected a NumPy file (.npy), found {(source.Length == 0 ? "an empty file" : "a file of another kind")}.");
        }

        int version = start[6];
        if (version is < 1 or > 3)
        {
            throw new InputException($"{path}: expected a NumPy file of version 1 to 3, found version {version}.");
        }

        long length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        long data = FixedBytes + (version == 1 ? 2 : 4) + length;
        if (length > MaxHeader || data > source.Length)
        {
            throw new InputException($"{path}: the header claims {length} bytes, expected at most {Math.Min(MaxHeader, source.Length)}; the file is "
                + "damaged or cut short.");
        }

        byte[] text = new byte[length];
        source.Read(data - length, text);
        NpyHeader header = NpyHeader.Parse(path, Encoding.Latin1.GetString(text));
        return new NpyFile(path, header, ReadValues(source, header, data, mostElements));
    }

    private static float[] ReadValues(ArchiveSource source, NpyHeader header, long data, int mostElements)
    {
        string shape = ArchiveText.Shape(header.Shape);
        if (!ArchiveText.TryCount(header.Shape, out long count) || count > mostElements)
        {
            throw new InputException($"{source.Path}: an array of shape {shape}, expected at most {mostElements} elements.");
        }

        int size = header.Type.Size();
        if (source.Length - data != count * size)
        {
            throw new InputException(
                $"{source.Path}: an array of shape {shape} takes {count * size} bytes, the file has {source.Length - data} after its header; it is "
                    + "cut short or holds something else.");
        }

        byte[] stored = new byte[count * size];
        source.Read(data, stored);
        float[] values = new float[count];
        ElementConversion.ToFloat32(header.Type, stored, values);
        return header.IsFortran && header.Shape.Length > 1 ? RowMajor(values, header.Shape) : values;
    }

    // From the first index fastest to the last index fastest.
    private static float[] RowMajor(float[] stored, long[] shape)
    {
        var values = new float[stored.Length];
        var index = new long[shape.Length];
        for (int i = 0; i < values.Length; i++)
        {
            long at = 0;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                at = (at * shape[axis]) + index[axis];
            }

            values[i] = stored[at];
            for (int axis = shape.Length - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--)
            {
                index[axis] = 0;
            }
        }

        return values;
    }
}
