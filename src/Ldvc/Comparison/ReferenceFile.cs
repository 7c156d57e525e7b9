using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Comparison;

/// <summary>
/// A reference file and the rows found so far. Every output it holds must be compared: a tensor that was not compared is an error at the end.
/// </summary>
internal sealed class ReferenceFile : IDisposable
{
    private readonly TensorArchive _archive;
    private readonly double _tolerance;
    private readonly CancellationToken _cancellation;
    private readonly List<ComparisonRow> _rows = [];

    internal ReferenceFile(string path, double tolerance, CancellationToken cancellation = default)
    {
        _archive = TensorArchive.Open(path);
        _tolerance = tolerance;
        _cancellation = cancellation;
    }

    internal IReadOnlyList<ComparisonRow> Rows => _rows;

    internal IReadOnlyDictionary<string, TensorEntry> Entries => _archive.Entries;

    internal IReadOnlyDictionary<string, string> Metadata => _archive.Metadata;

    internal string Path => _archive.Path;

    internal bool Has(string name) => _archive.Entries.ContainsKey(name);

    /// <summary>A tensor's sizes, checked to have the given rank and no empty dimension.</summary>
    internal Shape ShapeOf(string name, int rank)
    {
        if (!_archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{Path}: tensor '{name}' is missing; expected a reference file as tools/make_reference.py writes it.");
        }

        return entry.Shape.Length == rank && entry.Shape.All(s => s is > 0 and <= int.MaxValue)
            ? new Shape([.. entry.Shape.Select(s => (int)s)])
            : throw new InputException(
                $"{Path}: tensor '{name}' should have {rank} dimensions, none of them 0, found shape {Listed(entry.Shape)}.");
    }

    internal float[] Floats(string name) => _archive.ReadFloat32(name);

    /// <summary>The values of an input: every output would be NaN, and none the one to look at.</summary>
    internal float[] FiniteFloats(string name) => _archive.ReadFinite(name);

    internal int[] Ints(string name) => _archive.ReadInt32(name);

    /// <summary>A picture input [B, 3, H, W], already normalised, whose sides the CLIP can cut into patches.</summary>
    internal Tensor Picture(Device device, string name, ClipConfig clip)
    {
        var shape = ShapeOf(name, 4);
        return shape[1] == 3 && shape[2] % clip.PatchSize == 0 && shape[3] % clip.PatchSize == 0
            ? device.FromHost(FiniteFloats(name), shape)
            : throw new InputException(
                $"{Path}: tensor '{name}' has shape {shape}, expected [B, 3, H, W] with H and W multiples of this CLIP's patch of {clip.PatchSize}.");
    }

    /// <summary>The input `ids` [n, length]: token ids that the CLIP has.</summary>
    internal TokenBatch Texts(ClipConfig clip, bool truncate)
    {
        var shape = ShapeOf("ids", 2);
        if (shape[1] > clip.ContextLength)
        {
            throw new InputException($"{Path}: tensor 'ids' has shape {shape}, but this CLIP reads texts of at most {clip.ContextLength} tokens.");
        }

        int[] ids = Ints("ids");
        int wrong = Array.FindIndex(ids, id => id < 0 || id >= clip.VocabularySize);
        return wrong < 0
            ? TokenBatch.Create(ids, shape[0], truncate)
            : throw new InputException(
                $"{Path}: tensor 'ids' holds {ids[wrong]}, expected ids from 0 to {clip.VocabularySize - 1} as this CLIP has them.");
    }

    /// <summary>Compares an activation when the file holds it.</summary>
    internal void Check(string name, Tensor actual)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (Has(name))
        {
            Check(name, actual.Shape, actual.ToArray(), 0, _tolerance);
        }
    }

    /// <summary>Compares values, relative to the reference's largest value or the floor, whichever is larger.</summary>
    internal void Check(string name, Shape shape, ReadOnlySpan<float> actual, double floor, double bound)
    {
        long[] stored = Entries[name].Shape;
        if (!stored.Where(s => s != 1).SequenceEqual(shape.ToArray().Where(s => s != 1).Select(s => (long)s)))
        {
            throw new InputException($"{Path}: tensor '{name}' has shape {Listed(stored)}, but this CLIP gives {shape}; is it the CLIP of the file?");
        }

        float[] expected = Floats(name);
        double largest = floor, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            // Math.Max propagates NaN: a NaN on either side can never pass.
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs((double)expected[i] - actual[i]));
        }

        double relative = largest > 0 ? difference / largest : difference == 0 ? 0 : double.PositiveInfinity;
        _rows.Add(new ComparisonRow(name, difference, relative, bound));
    }

    /// <summary>Refuses a file with a tensor that was compared with nothing.</summary>
    internal void RequireAllCompared(Func<string, bool> isInput)
    {
        var compared = _rows.Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        string? unknown = Entries.Keys.Order(StringComparer.Ordinal).FirstOrDefault(name => !isInput(name) && !compared.Contains(name));
        if (unknown is not null)
        {
            throw new InputException(
                $"{Path}: tensor '{unknown}' is not one that this CLIP computes; expected the names that tools/make_reference.py writes.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    private static string Listed(long[] shape) => $"[{string.Join(", ", shape)}]";
}
