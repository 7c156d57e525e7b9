using Ldvc.Autograd;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>Frozen weights out of a checkpoint with OpenAI's or Hugging Face's names.</summary>
internal sealed class ArchiveWeights(TensorArchive archive, Device device, bool huggingFace) : IWeightSource
{
    public Parameter Get(string name, Shape shape, double deviation, float constant = 0)
    {
        var values = new float[shape.Count];
        string[] parts = huggingFace ? ClipNames.HuggingFace(name) : [name];
        int each = values.Length / parts.Length;
        for (int i = 0; i < parts.Length; i++)
        {
            Read(parts[i], values.AsSpan(i * each, each), shape, parts.Length);
        }

        return new Parameter(device.FromHost(values, shape), trainable: false);
    }

    public Parameter GetProjection(string name, int outputs, int inputs, double deviation)
    {
        if (huggingFace)
        {
            return Get(name, new Shape(outputs, inputs), deviation);
        }

        var stored = new float[inputs * outputs];
        Read(name, stored, new Shape(inputs, outputs), 1);
        var values = new float[stored.Length];
        for (int i = 0; i < inputs; i++)
        {
            for (int o = 0; o < outputs; o++)
            {
                values[(o * inputs) + i] = stored[(i * outputs) + o];
            }
        }

        return new Parameter(device.FromHost(values, new Shape(outputs, inputs)), trainable: false);
    }

    private void Read(string name, Span<float> target, Shape shape, int parts)
    {
        if (!archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' is missing; expected a CLIP vision transformer checkpoint");
        }

        var wanted = shape.ToArray();
        if (parts > 1)
        {
            wanted[0] /= parts;
        }

        // A scalar may be stored without dimensions or with one.
        bool scalar = entry.ElementCount == 1 && shape.Count == 1;
        if (!scalar && !entry.Shape.AsSpan().SequenceEqual(wanted.Select(s => (long)s).ToArray()))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' should have shape [{string.Join(", ", wanted)}], found [{string.Join(", ", entry.Shape)}]");
        }

        archive.ReadFloat32(name, target);
    }
}
