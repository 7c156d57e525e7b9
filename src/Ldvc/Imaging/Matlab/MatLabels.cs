using System.Text;
using Ldvc.Tensors;

namespace Ldvc.Imaging.Matlab;

/// <summary>
/// Reads label maps from MATLAB files as data sets are published in: SBD's (<c>GTcls.Segmentation</c>), PASCAL Context's (<c>LabelMap</c>),
/// COCO-Stuff 10k's (<c>S</c>), and files with one matrix.
/// </summary>
internal static class MatLabels
{
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

        return mat.Read(labels, reader => MatMatrix.Read(reader, labels, file.Length, name));
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
            return array is { IsMatrix: true } ? MatMatrix.Read(reader, array, fileBytes, name) : throw new InputException(
                $"{name}: expected a matrix of labels in {structure.Name}.{Segmentation}, found {array?.ToString() ?? "none"}");
        }

        throw new InputException($"{name}: expected a field {Segmentation} in {structure.Name}, found none");
    }
}
