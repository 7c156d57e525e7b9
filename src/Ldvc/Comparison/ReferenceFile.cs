using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Comparison;

/// <summary>A reference file and the rows found so far. Every output it holds must be compared: what nobody asked for is an error at the end.</summary>
internal sealed class ReferenceFile : IDisposable
{
    private readonly TensorArchive _archive;
    private readonly double _tolerance;
    private readonly List<ComparisonRow> _rows = [];

    internal ReferenceFile(string path, double tolerance)
    {
        _archive = TensorArchive.Open(path);
        _tolerance = tolerance;
    }

    internal IReadOnlyList<ComparisonRow> Rows => _rows;

    internal IReadOnlyDictionary<string, TensorEntry> Entries => _archive.Entries;

    internal IReadOnlyDictionary<string, string> Metadata => _archive.Metadata;

    internal string Path => _archive.Path;

    internal bool Has(string name) => _archive.Entries.ContainsKey(name);

    /// <summary>An input's sizes, checked to have the given rank.</summary>
    internal Shape ShapeOf(string name, int rank)
    {
        if (!_archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{Path}: tensor '{name}' is missing; expected a reference file as tools/make_reference.py writes it");
        }

        return entry.Shape.Length == rank && entry.Shape.All(s => s is > 0 and <= int.MaxValue)
            ? new Shape([.. entry.Shape.Select(s => (int)s)])
            : throw new InputException($"{Path}: tensor '{name}' should have {rank} dimensions, found shape [{string.Join(", ", entry.Shape)}]");
    }

    internal float[] Floats(string name) => _archive.ReadFloat32(name);

    internal int[] Ints(string name) => _archive.ReadInt32(name);

    /// <summary>A float input on the device.</summary>
    internal Tensor Upload(Device device, string name, int rank)
    {
        var shape = ShapeOf(name, rank);
        return device.FromHost(Floats(name), shape);
    }

    /// <summary>Compares an activation when the file holds it.</summary>
    internal void Check(string name, Tensor actual)
    {
        if (Has(name))
        {
            Check(name, actual.ToArray(), 0, _tolerance);
        }
    }

    /// <summary>Compares values, relative to the reference's largest value or the floor, whichever is larger.</summary>
    internal void Check(string name, ReadOnlySpan<float> actual, double floor, double bound)
    {
        float[] expected = Floats(name);
        if (expected.Length != actual.Length)
        {
            throw new InputException(
                $"{Path}: tensor '{name}' has shape [{string.Join(", ", Entries[name].Shape)}], but this CLIP gives {actual.Length} values; is it the CLIP of the file?");
        }

        double largest = floor, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            double d = Math.Abs((double)expected[i] - actual[i]);

            // Math.Max propagates NaN: a NaN on either side can never pass.
            difference = Math.Max(difference, d);
        }

        _rows.Add(new ComparisonRow(name, difference, largest > 0 ? difference / largest : (difference == 0 ? 0 : double.PositiveInfinity), bound));
    }

    /// <summary>Adds a row and fails it when a tensor of the file was compared with nothing.</summary>
    internal void RequireAllCompared(IReadOnlySet<string> inputs)
    {
        var compared = _rows.Select(r => r.Name).ToHashSet();
        foreach (string name in Entries.Keys.Order(StringComparer.Ordinal))
        {
            if (!inputs.Contains(name) && !compared.Contains(name) && !name.StartsWith("param.", StringComparison.Ordinal))
            {
                throw new InputException($"{Path}: tensor '{name}' is none that ldvc compare knows");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();
}
