using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Model;

/// <summary>
/// Class embeddings that were computed elsewhere, one a name, kept as they are: ZegCLIP's come in 16 bits and are not exactly of unit length. Read
/// from a NumPy file (model.class_embeddings) or from a checkpoint, which then needs no vocabulary for these names.
/// </summary>
internal sealed class ClassEmbeddings
{
    /// <summary>The tensor [C, E] in a checkpoint; its rows are in the order of the checkpoint's classes.</summary>
    internal const string TensorName = "class_embeddings";

    private const int MaxElements = 1 << 26;

    // Published ones are of unit length but for 16 bits of rounding; CLIP's features before they are normalised have lengths of about 10.
    private const double Shortest = 0.9;
    private const double Longest = 1.1;

    private readonly Dictionary<string, int> _rows = new(StringComparer.Ordinal);
    private readonly float[] _values;

    private ClassEmbeddings(string source, IReadOnlyList<string> names, int width, float[] values)
    {
        (Source, Width, _values) = (source, width, values);
        for (int i = 0; i < names.Count; i++)
        {
            _rows.Add(NameSpelling.Key(names[i]), i);
            ReadOnlySpan<float> row = Row(i);
            string? wrong = FiniteScan.FirstBad(row) >= 0 ? "NaN or infinity" : row.ContainsAnyExcept(0f) ? null : "nothing but zeros";
            if (wrong is not null)
            {
                throw new InputException($"{source}: the embedding of class {ConfigText.Quote(names[i])} (row {i}) holds {wrong}.");
            }
        }
    }

    /// <summary>The file that they come from.</summary>
    internal string Source { get; }

    /// <summary>E, the length of each.</summary>
    internal int Width { get; }

    /// <summary>How many there are.</summary>
    internal int Count => _rows.Count;

    /// <summary>Reads a NumPy file.</summary>
    /// <param name="path">The file, [C, E].</param>
    /// <param name="names">The names of its rows, no two of them equal.</param>
    /// <exception cref="InputException">The file is missing or damaged, has another number of rows, holds NaN, or is not of unit vectors.</exception>
    internal static ClassEmbeddings Read(string path, IReadOnlyList<string> names)
    {
        NpyFile file = NpyFile.Read(path, MaxElements);
        string shape = string.Join(", ", file.Shape);
        if (file.Shape is not [var rows, > 0 and <= int.MaxValue and var width] || rows != names.Count)
        {
            throw new InputException($"{path}: an array of shape [{shape}], expected [{names.Count}, the CLIP's joint width]: a row for each of "
                + $"the {names.Count} classes.");
        }

        var embeddings = new ClassEmbeddings(path, names, (int)width, file.Values);
        for (int i = 0; i < names.Count; i++)
        {
            double length = Math.Sqrt(embeddings.Row(i).ToArray().Sum(value => (double)value * value));
            if (length is < Shortest or > Longest)
            {
                string found = length.ToString("G4", CultureInfo.InvariantCulture);
                throw new InputException(
                    $"{path}: the embedding of class {ConfigText.Quote(names[i])} (row {i}) has the length {found}, expected "
                        + $"{ConfigText.Number(Shortest)} to {ConfigText.Number(Longest)}: unit vectors; divide each row by its length.");
            }
        }

        return embeddings;
    }

    /// <summary>Reads those of a checkpoint; null when it has none.</summary>
    /// <exception cref="InputException">They do not fit the checkpoint's classes.</exception>
    internal static ClassEmbeddings? Read(TensorArchive archive, IReadOnlyList<string> names)
    {
        if (!archive.Entries.TryGetValue(TensorName, out TensorEntry? entry))
        {
            return null;
        }

        return entry.Shape is [var rows, > 0 and <= int.MaxValue and var width] && rows == names.Count && entry.ElementCount <= MaxElements
            ? new ClassEmbeddings(archive.Path, names, (int)width, archive.ReadFloat32(TensorName))
            : throw new InputException($"{archive.Path}: tensor {entry}: expected a row for each of the checkpoint's {names.Count} classes.");
    }

    /// <summary>
    /// The embedding of a name, upper and lower case being the same; empty when there is none. Synonyms have none: a row is that of a class's first
    /// name.
    /// </summary>
    internal ReadOnlySpan<float> Find(string name) => _rows.TryGetValue(NameSpelling.Key(name), out int row) ? Row(row) : [];

    /// <summary>SHA-256 over the embeddings of names, in hexadecimal; a name without one counts by being missed.</summary>
    internal string Digest(IEnumerable<string> names)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string name in names)
        {
            hash.AppendData(MemoryMarshal.AsBytes(Find(name)));
            hash.AppendData([0]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Refuses a CLIP whose joint width is another one.</summary>
    /// <exception cref="InputException">It is.</exception>
    internal void CheckWidth(int expected, string clip)
    {
        if (Width != expected)
        {
            throw new InputException($"{Source}: class embeddings of width {Width}, expected {expected}, the joint width of {clip}.");
        }
    }

    /// <summary>Adds them to a checkpoint whose classes are these names.</summary>
    internal void Write(SafetensorsWriter writer, IReadOnlyList<string> names) =>
        writer.AddFloat32(TensorName, [names.Count, Width], names.SelectMany(name => Find(name).ToArray()).ToArray());

    /// <summary>The first of the names whose embeddings are not the other's; null when all are equal.</summary>
    internal string? FirstDifference(ClassEmbeddings? other, IEnumerable<string> names) =>
        names.FirstOrDefault(name => other is null || !Find(name).SequenceEqual(other.Find(name)));

    private ReadOnlySpan<float> Row(int index) => _values.AsSpan(index * Width, Width);
}
