using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Tests.Comparison;

/// <summary>A tensor file in memory that a test changes in one place and writes again as safetensors.</summary>
internal sealed class EditedArchive
{
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, (long[] Shape, float[] Values)> Floats { get; } = new(StringComparer.Ordinal);

    /// <summary>Integer tensors; written as I64 or, when they are named in <see cref="Narrow"/>, as I32.</summary>
    public Dictionary<string, (long[] Shape, int[] Values)> Integers { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Narrow { get; } = new(StringComparer.Ordinal);

    public static EditedArchive Load(string path)
    {
        var copy = new EditedArchive();
        using var archive = TensorArchive.Open(path);
        foreach (var (name, entry) in archive.Entries)
        {
            if (entry.DType is DType.Int32 or DType.Int64)
            {
                copy.Integers.Add(name, (entry.Shape, archive.ReadInt32(name)));
                if (entry.DType == DType.Int32)
                {
                    copy.Narrow.Add(name);
                }
            }
            else
            {
                copy.Floats.Add(name, (entry.Shape, archive.ReadFloat32(name)));
            }
        }

        foreach (var (key, value) in archive.Metadata)
        {
            copy.Metadata.Add(key, value);
        }

        return copy;
    }

    /// <summary>Replaces the shape and, with zeros where it grew, the values.</summary>
    public void Resize(string name, params long[] shape)
    {
        int count = (int)shape.Aggregate(1L, (a, b) => a * b);
        if (Integers.TryGetValue(name, out var whole))
        {
            Array.Resize(ref whole.Values, count);
            Integers[name] = (shape, whole.Values);
            return;
        }

        float[] values = Floats[name].Values;
        Array.Resize(ref values, count);
        Floats[name] = (shape, values);
    }

    public void Swap(string first, string second) => (Floats[first], Floats[second]) = (Floats[second], Floats[first]);

    public string Save(string path)
    {
        var writer = new SafetensorsWriter();
        foreach (var (key, value) in Metadata)
        {
            writer.SetMetadata(key, value);
        }

        foreach (var (name, (shape, values)) in Floats)
        {
            writer.AddFloat32(name, shape, values);
        }

        foreach (var (name, (shape, values)) in Integers)
        {
            if (Narrow.Contains(name))
            {
                writer.AddInt32(name, shape, values);
            }
            else
            {
                writer.AddInt64(name, shape, values.Select(v => (long)v).ToArray());
            }
        }

        writer.Save(path);
        return path;
    }
}
