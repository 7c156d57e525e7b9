using Ldvc.Autograd;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// Frozen weights out of a checkpoint with OpenAI's or Hugging Face's names. On a device that multiplies in bf16, the vision tower's matrices are rounded here,
/// once, and no float32 copy goes to the device. The text tower's stay float32: its share of the arithmetic is small, its errors are in every pixel's scores.
/// </summary>
internal sealed class ArchiveWeights(TensorArchive archive, Device device, bool huggingFace) : IWeightSource
{
    public Parameter Get(string name, Shape shape, double std, float constant = 0) =>
        new(device.FromHost(Read(name, shape), shape), trainable: false);

    public Parameter GetMatrix(string name, Shape shape, double std) => Matrix(name, Read(name, shape), shape);

    public Parameter GetProjection(string name, int outputs, int inputs, double std)
    {
        var shape = new Shape(outputs, inputs);
        if (huggingFace)
        {
            return GetMatrix(name, shape, std);
        }

        Check(name, [inputs, outputs]);
        var stored = new float[inputs * outputs];
        archive.ReadFloat32(name, stored);
        var values = new float[stored.Length];
        for (int i = 0; i < inputs; i++)
        {
            for (int o = 0; o < outputs; o++)
            {
                values[(o * inputs) + i] = stored[(i * outputs) + o];
            }
        }

        return Matrix(name, values, shape);
    }

    private Parameter Matrix(string name, float[] values, Shape shape) => new(
        name.StartsWith("visual.", StringComparison.Ordinal) && MatMulPlan.StoredType(device, shape) == DType.BFloat16 ? device.FromHostRounded(values, shape) : device.FromHost(values, shape), trainable: false);

    private float[] Read(string name, Shape shape)
    {
        string[] parts = huggingFace ? ClipNames.HuggingFace(name) : [name];
        int[] wanted = shape.ToArray();
        if (parts.Length > 1)
        {
            wanted[0] /= parts.Length;
        }

        // All shapes are checked before memory is taken: sizes that do not fit together can be absurdly large.
        foreach (string part in parts)
        {
            Check(part, wanted);
        }

        var values = new float[shape.Count];
        int each = values.Length / parts.Length;
        for (int i = 0; i < parts.Length; i++)
        {
            archive.ReadFloat32(parts[i], values.AsSpan(i * each, each));
        }

        return values;
    }

    private void Check(string name, int[] wanted)
    {
        if (!archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' is missing; expected a CLIP vision transformer checkpoint.");
        }

        // A scalar may be stored without dimensions or with one.
        bool scalar = entry.ElementCount == 1 && wanted is [1];
        if (!scalar && !entry.Shape.AsSpan().SequenceEqual(wanted.Select(s => (long)s).ToArray()))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' should have shape [{string.Join(", ", wanted)}], found [{string.Join(", ", entry.Shape)}].");
        }

        if (entry.DType is not (DType.Float32 or DType.Float16 or DType.BFloat16 or DType.Float64))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' holds {entry.DType}, expected floating-point numbers.");
        }
    }
}
