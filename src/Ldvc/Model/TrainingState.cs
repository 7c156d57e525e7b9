using System.Globalization;
using Ldvc.Autograd;
using Ldvc.Autograd.Optimizers;
using Ldvc.Configuration;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Model;

/// <summary>
/// A checkpoint: parameters under their own names, the optimiser's moments under "optimizer.first." and "optimizer.second.", the number of steps
/// taken in the metadata. Everything random in a run is a pure function of (seed, step), so nothing else is needed to continue bit for bit.
/// </summary>
internal static class TrainingState
{
    /// <summary>The kind of a state that `ldvc pretrain` wrote, in the metadata under "kind".</summary>
    internal const string PretrainingKind = "ldvc-pretrain";

    private const string Moments = "optimizer.";
    private const string First = Moments + "first.";
    private const string Second = Moments + "second.";
    private const string StepKey = "step";

    /// <summary>Puts a state together, to be saved as a file.</summary>
    /// <exception cref="InputException">A tensor holds NaN or infinity: such a state is never written.</exception>
    internal static SafetensorsWriter Compose(
        IEnumerable<(string Name, Parameter Parameter)> parameters, AdamW? optimizer, long step, IReadOnlyDictionary<string, string> metadata)
    {
        var writer = new SafetensorsWriter { Checksums = true };
        writer.SetMetadata(StepKey, step.ToString(CultureInfo.InvariantCulture));
        foreach (var (key, value) in metadata)
        {
            writer.SetMetadata(key, value);
        }

        void Add(string name, Tensor tensor)
        {
            if (!KernelSet.For(tensor.Device).Reduction.AllFinite(tensor, tensor.Count))
            {
                throw new InputException(
                    $"training stopped at step {step}: first bad tensor: {name} holds NaN or infinity; try a lower learning rate");
            }

            writer.AddFloat32(name, [.. tensor.Shape.ToArray().Select(s => (long)s)], tensor.ToArray());
        }

        foreach (var (name, parameter) in parameters)
        {
            Add(name, parameter.Value);
        }

        foreach (var (name, first, second) in optimizer?.Moments ?? [])
        {
            Add(First + name, first);
            Add(Second + name, second);
        }

        return writer;
    }

    /// <summary>Reads parameters and, when an optimiser is given, its moments; returns the steps taken.</summary>
    /// <param name="archive">The file.</param>
    /// <param name="parameters">Those of the model.</param>
    /// <param name="optimizer">Its optimiser, or null.</param>
    /// <param name="besides">A tensor that may stand beside them.</param>
    /// <exception cref="InputException">A tensor is missing, has another shape or is of another model, or the file has no optimiser
    /// state.</exception>
    internal static long Load(
        TensorArchive archive, IEnumerable<(string Name, Parameter Parameter)> parameters, AdamW? optimizer, string? besides = null)
    {
        (string Name, Parameter Parameter)[] all = [.. parameters];
        RefuseOthers(archive, all, besides);
        foreach (var (name, parameter) in all)
        {
            Read(archive, name, parameter.Value);
        }

        long step = StepOf(archive);
        if (optimizer is not null)
        {
            if (!archive.Entries.Keys.Any(IsMoment))
            {
                throw new InputException(
                    $"{archive.Path}: a lean checkpoint, without the optimiser's state; --resume needs a whole one, as `ldvc train` writes it.");
            }

            foreach (var (name, first, second) in optimizer.Moments)
            {
                Read(archive, First + name, first);
                Read(archive, Second + name, second);
            }

            optimizer.Steps = step;
        }

        return step;
    }

    // Weights that nothing reads are of a model with more parts: without them it gives other results.
    private static void RefuseOthers(TensorArchive archive, IEnumerable<(string Name, Parameter Parameter)> parameters, string? besides)
    {
        HashSet<string> known = [.. parameters.Select(parameter => parameter.Name)];
        if (archive.Entries.Keys.Where(name => !IsMoment(name) && !known.Contains(name) && name != besides).Min(StringComparer.Ordinal) is { } other)
        {
            throw new InputException(
                $"{archive.Path}: tensor {ConfigText.Quote(other)} is of no part of the model that its configuration describes; the file is damaged "
                    + "or was put together from two.");
        }
    }

    /// <summary>Whether a tensor of a state is the optimiser's.</summary>
    internal static bool IsMoment(string name) => name.StartsWith(Moments, StringComparison.Ordinal);

    /// <summary>Steps taken.</summary>
    /// <exception cref="InputException">The file does not say.</exception>
    internal static long StepOf(TensorArchive archive) =>
        archive.Metadata.TryGetValue(StepKey, out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int step)
            ? step
            : throw new InputException(
                $"{archive.Path}: the metadata key '{StepKey}' is missing or not a number; expected a checkpoint written by ldvc");

    /// <summary>Reads one tensor into existing memory.</summary>
    /// <exception cref="InputException">It is missing, has another shape, is damaged, or holds NaN or infinity.</exception>
    internal static void Read(TensorArchive archive, string name, Tensor target)
    {
        if (!archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' is missing");
        }

        if (!entry.Shape.AsSpan().SequenceEqual(target.Shape.ToArray().Select(s => (long)s).ToArray()))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' should have shape {target.Shape}, found [{string.Join(", ", entry.Shape)}]");
        }

        target.CopyFromHost<float>(archive.ReadFinite(name));
    }
}
