using System.Runtime.InteropServices;
using System.Text;
using Ldvc.Tensors;

namespace Ldvc.Imaging.Matlab;

/// <summary>
/// Reads label maps from MATLAB files as data sets are published in: SBD's (<c>GTcls.Segmentation</c>), PASCAL Context's (<c>LabelMap</c>),
/// COCO-Stuff 10k's (<c>S</c>), and files with one matrix. MATLAB stores columns, labels are rows.
/// </summary>
internal static class MatLabels
{
    private const int ChunkElements = 8192;
    private const int MaxNamed = 8;
    private const int MaxFieldName = 256;
    private const string Segmentation = "Segmentation";
    private const string ClassesOfSbd = "GTcls";
    private const string ObjectsOfSbd = "GTinst";

    private const string LabelsOfSunRgbd = "seglabel";
    private const string NamesOfSunRgbd = "names";

    private static readonly string[] s_known = ["LabelMap", "S"];

    /// <summary>Decodes a file held in memory; <paramref name="name"/> stands for it in messages.</summary>
    /// <exception cref="InputException">Damaged, of another version, no variable that is a label map, or numbers that are no labels.</exception>
    internal static LabelMap16 Decode(byte[] file, string name)
    {
        var mat = new MatFile(file, name);
        MatArray[] variables = [.. mat.Variables];
        MatArray? sbd = Array.Find(variables, variable => variable is { Name: ClassesOfSbd, Kind: MatKind.Struct });
        if (sbd is not null)
        {
            return mat.Read(sbd, reader => Field(reader, sbd, file.Length, name));
        }

        MatArray[] matrices = [.. variables.Where(variable => variable.IsMatrix)];
        MatArray? labels = s_known.Select(known => Array.Find(matrices, matrix => matrix.Name == known)).FirstOrDefault(matrix => matrix is not null)
            ?? (matrices.Length == 1 ? matrices[0] : null);
        if (labels is null)
        {
            string found = variables.Length == 0 ? "none" : string.Join(", ", variables.Take(MaxNamed).Select(variable => variable.ToString()));
            bool areObjects = variables.Any(variable => variable.Name == ObjectsOfSbd);
            throw new InputException(
                $"{name}: expected one matrix of labels, or one called {ClassesOfSbd}.{Segmentation}, {string.Join(" or ", s_known)}, found {found}"
                    + $"{(variables.Length > MaxNamed ? " and more" : "")}"
                    + (areObjects ? " (SBD's numbers of objects; those of classes lie in cls)" : ""));
        }

        // Every picture counts its own list of names from 1.
        if (labels.Name == LabelsOfSunRgbd && Array.Exists(variables, variable => variable is { Name: NamesOfSunRgbd, Kind: MatKind.Cell }))
        {
            throw new InputException(
                $"{name}: the numbers of {LabelsOfSunRgbd} are lines of this file's own {NamesOfSunRgbd}, so that a number is another class in each "
                    + "picture (SUN RGB-D's seg.mat); expected masks in which a number means the same everywhere, such as its 37 classes as PNG");
        }

        return mat.Read(labels, reader => Matrix(reader, labels, file.Length, name));
    }

    // A structure has the names of its fields, then an array for each.
    private static LabelMap16 Field(MatReader reader, MatArray structure, int fileBytes, string name)
    {
        if (structure.Sizes.Any(size => size != 1))
        {
            throw new InputException($"{name}: expected one structure, found {structure}");
        }

        byte[] length = reader.ReadElement(MatType.Int32, sizeof(int));
        int nameBytes = length.Length == sizeof(int) ? (int)reader.UInt32(length) : 0;
        byte[] names = nameBytes is > 0 and <= MaxFieldName ? reader.ReadElement(MatType.Int8, MaxFieldName * nameBytes) : throw reader.Damaged(
            "expected names of fields");
        for (int at = 0; at + nameBytes <= names.Length; at += nameBytes)
        {
            MatTag tag = reader.NextTag() ?? throw reader.Truncated();
            if (Encoding.UTF8.GetString(names, at, nameBytes).TrimEnd('\0') != Segmentation)
            {
                reader.Skip(tag.Stored);
                continue;
            }

            MatArray? array = tag is { Type: MatType.Matrix, Bytes: > 0 } ? MatArray.Read(reader) : null;
            return array is { IsMatrix: true } ? Matrix(reader, array, fileBytes, name) : throw new InputException(
                $"{name}: expected a matrix of labels in {structure.Name}.{Segmentation}, found {array?.ToString() ?? "none"}");
        }

        throw new InputException($"{name}: expected a field {Segmentation} in {structure.Name}, found none");
    }

    private static LabelMap16 Matrix(MatReader reader, MatArray array, int fileBytes, string name)
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
