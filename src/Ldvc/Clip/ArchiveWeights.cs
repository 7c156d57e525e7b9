using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Ldvc.Autograd;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// Frozen weights out of a checkpoint with OpenAI's or Hugging Face's names. A model that is built from it gets memory at once and values from
/// <see cref="Fill"/>, which reads, checks and hashes every weight once, several side by side: a large CLIP is half a gigabyte, and starting a
/// program is mostly this. On a device that multiplies in bf16 or fp16, the vision tower's matrices are rounded here, once, and no float32 copy goes
/// to the device. The text tower's stay float32: its share of the arithmetic is small, its errors are in every pixel's scores.
/// </summary>
internal sealed class ArchiveWeights(TensorArchive archive, Device device, bool huggingFace) : IWeightSource
{
    // What the features of a CLIP are made of: its towers, tables and projections, and positions (Long-CLIP has a second table of them).
    private static readonly string[] s_towers =
    [
        "visual.", "transformer.", "vision_model.", "text_model.", "visual_projection.", "text_projection.", "token_embedding.", "ln_final.",
        "positional_embedding",
    ];

    // What is no weight: positions counted from 0, and the causal mask.
    private static readonly string[] s_buffers = ["position_ids", "attn_mask"];

    private readonly List<Weight> _weights = [];

    public Parameter Get(string name, Shape shape, double std, float constant = 0) => Take(name, shape, DType.Float32, false);

    public Parameter GetMatrix(string name, Shape shape, double std) => Take(name, shape, StoredType(name, shape), false);

    public Parameter GetProjection(string name, int outputs, int inputs, double std)
    {
        var shape = new Shape(outputs, inputs);
        return Take(name, shape, StoredType(name, shape), transposed: !huggingFace);
    }

    /// <summary>
    /// Refuses tensors of the towers and projections that no CLIP has: scales of layers, adapters, other poolings. The features would be
    /// those of another network.
    /// </summary>
    /// <exception cref="InputException">There is one.</exception>
    internal void RefuseOthers()
    {
        HashSet<string> taken = [.. _weights.SelectMany(weight => weight.Parts)];
        string? other = archive.Entries.Keys.Where(name => Array.Exists(s_towers, tower => name.StartsWith(tower, StringComparison.Ordinal))
            && !taken.Contains(name) && !s_buffers.Contains(name[(name.LastIndexOf('.') + 1)..])).Order(StringComparer.Ordinal).FirstOrDefault();
        if (other is not null)
        {
            throw new InputException(
                $"{archive.Path}: tensor {ArchiveText.Quote(other)} is none of a CLIP's, so that its features are not those that a CLIP "
                    + "would compute; expected CLIP's own vision and text transformers.");
        }
    }

    /// <summary>Reads all weights that were asked for.</summary>
    /// <param name="digest">Gets every weight's name, shape and values; null = nobody asks.</param>
    /// <param name="towers">Whose weights are read.</param>
    /// <exception cref="InputException">A value is NaN, infinite or too large for the device's precision, or the file is damaged.</exception>
    internal void Fill(ClipDigest? digest, ClipTowers towers = ClipTowers.Both)
    {
        _weights.RemoveAll(weight => !towers.HasFlag(IsVisual(weight.Name) ? ClipTowers.Vision : ClipTowers.Text));
        if (device is CpuDevice cpu)
        {
            FillSideBySide(digest, cpu.ThreadCount);
            return;
        }

        // The next weight is read while this one goes to the device.
        Task<float[]>? next = null;
        for (int i = 0; i < _weights.Count; i++)
        {
            Weight weight = _weights[i];
            float[] values = next is null ? ReadWhole(weight, digest) : next.GetAwaiter().GetResult();
            Weight? following = i + 1 < _weights.Count ? _weights[i + 1] : null;
            next = following is null ? null : Task.Run(() => ReadWhole(following, digest));
            try
            {
                Upload(weight, values);
            }
            catch
            {
                // Nobody may read a file that is about to be closed.
                next?.ContinueWith(task => task.Exception, TaskScheduler.Default).Wait();
                throw;
            }
        }
    }

    // Largest first, so that no thread is left with the one large table at the end. Of several faults the first in the model's order is reported.
    private void FillSideBySide(ClipDigest? digest, int threads)
    {
        int[] order = [.. Enumerable.Range(0, _weights.Count).OrderByDescending(i => _weights[i].Target.Count)];
        var faults = new InputException?[_weights.Count];
        Parallel.For(0, order.Length, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads) }, i =>
        {
            Weight weight = _weights[order[i]];
            try
            {
                Read(weight, weight.Target.AsSpan<float>(), digest);
            }
            catch (InputException e)
            {
                faults[order[i]] = e;
            }
        });
        if (Array.Find(faults, fault => fault is not null) is { } first)
        {
            throw new InputException(first.Message, first);
        }
    }

    private float[] ReadWhole(Weight weight, ClipDigest? digest)
    {
        var values = new float[weight.Target.Count];
        Read(weight, values, digest);
        return values;
    }

    private void Upload(Weight weight, float[] values)
    {
        if (weight.Target.DType == DType.Float32)
        {
            weight.Target.CopyFromHost<float>(values);
            return;
        }

        Float16Range.Check(archive.Path, string.Join("', '", weight.Parts), values, weight.Target.DType);
        var rounded = new ushort[values.Length];
        ElementConversion.FromFloat32(weight.Target.DType, values, MemoryMarshal.AsBytes(rounded.AsSpan()));
        weight.Target.CopyFromHost<ushort>(rounded);
    }

    // A weight is read in pieces that stay in the caches while they are looked at and hashed: memory is passed once. One whose order in memory
    // changes is hashed as it lies then.
    private void Read(Weight weight, Span<float> values, ClipDigest? digest)
    {
        int each = values.Length / weight.Parts.Length;
        using IncrementalHash? hash = digest is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<float> stored = weight.Transposed ? new float[values.Length] : values;
        for (int i = 0; i < weight.Parts.Length; i++)
        {
            string part = weight.Parts[i];
            archive.ReadFloat32(part, stored.Slice(i * each, each), (first, piece) =>
            {
                RefuseNotFinite(part, first, each, piece);
                if (!weight.Transposed)
                {
                    hash?.AppendData(MemoryMarshal.AsBytes(piece));
                }
            });
        }

        if (weight.Transposed)
        {
            Transpose(stored, values, weight.Target.Shape[0], weight.Target.Shape[1]);
            hash?.AppendData(MemoryMarshal.AsBytes(values));
        }

        digest?.Add(weight.Name, weight.Target.Shape.ToString(), hash!.GetHashAndReset());
    }

    private void RefuseNotFinite(string part, int first, int count, ReadOnlySpan<float> piece)
    {
        int bad = FiniteScan.FirstBad(piece);
        if (bad >= 0)
        {
            throw new InputException(string.Create(
                CultureInfo.InvariantCulture,
                $"{archive.Path}: tensor '{part}' holds {piece[bad]} (value {first + bad + 1} of {count}), expected finite numbers: the file is "
                    + $"damaged, or the CLIP diverged in training."));
        }
    }

    private static void Transpose(ReadOnlySpan<float> stored, Span<float> values, int outputs, int inputs)
    {
        for (int i = 0; i < inputs; i++)
        {
            for (int o = 0; o < outputs; o++)
            {
                values[(o * inputs) + i] = stored[(i * outputs) + o];
            }
        }
    }

    private static bool IsVisual(string name) => name.StartsWith("visual.", StringComparison.Ordinal);

    private DType StoredType(string name, Shape shape) =>
        IsVisual(name) ? MatMulPlan.StoredType(device, shape) : DType.Float32;

    private Parameter Take(string name, Shape shape, DType type, bool transposed)
    {
        string[] parts = huggingFace ? ClipNames.HuggingFace(name) : [name];
        int[] wanted = shape.ToArray();
        if (parts.Length > 1)
        {
            wanted[0] /= parts.Length;
        }

        if (transposed)
        {
            Array.Reverse(wanted);
        }

        // All shapes are checked before memory is taken: sizes that do not fit together can be absurdly large.
        foreach (string part in parts)
        {
            Check(part, wanted);
        }

        var target = device.Empty(shape, type);
        _weights.Add(new Weight(name, parts, target, transposed));
        return new Parameter(target, trainable: false);
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
            throw new InputException(
                $"{archive.Path}: tensor '{name}' should have shape [{string.Join(", ", wanted)}], found [{string.Join(", ", entry.Shape)}].");
        }

        if (entry.DType is not (DType.Float32 or DType.Float16 or DType.BFloat16 or DType.Float64))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' holds {entry.DType}, expected floating-point numbers.");
        }
    }

    /// <summary>A weight that waits for its values: its name here, the tensors of the file that it is made of, and where it goes.</summary>
    private sealed record Weight(string Name, string[] Parts, Tensor Target, bool Transposed);
}
