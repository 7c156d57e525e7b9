using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Import;

/// <summary>
/// A checkpoint as ZegCLIP's authors publish it, opened for reading: tensors under backbone., text_encoder. and decode_head., and mmcv's notes.
/// </summary>
internal sealed class ZegClipFile : IDisposable
{
    private readonly TensorArchive _archive;

    private ZegClipFile(TensorArchive archive)
    {
        _archive = archive;
        if (!archive.Entries.ContainsKey(ZegClipNames.ShallowPrompts) || !archive.Entries.ContainsKey(ZegClipNames.Adapter))
        {
            throw new InputException(
                $"{archive.Path}: expected a checkpoint of ZegCLIP, with the tensors '{ZegClipNames.ShallowPrompts}' and '{ZegClipNames.Adapter}', "
                + $"found {Describe(archive)}.");
        }

        Notes = new ZegClipNotes(archive);
    }

    /// <summary>What mmcv noted beside the tensors.</summary>
    internal ZegClipNotes Notes { get; }

    /// <summary>The tensors.</summary>
    internal TensorArchive Archive => _archive;

    /// <summary>Classes in training: the loss has a weight for each and one more; null when its buffer is not in the file.</summary>
    internal int? TrainedClasses => _archive.Entries.TryGetValue(ZegClipNames.LossWeights, out TensorEntry? entry)
        ? entry.Shape is [> 1 and <= 1 << 16 and var length]
            ? (int)length - 1
            : throw new InputException($"{_archive.Path}: tensor {entry}: expected a weight for each class and one more.")
        : null;

    /// <summary>Prompt tokens in front of every layer.</summary>
    internal int Prompts => _archive.Entry(ZegClipNames.ShallowPrompts).Shape is [1, > 0 and <= 4096 and var count, _]
        ? (int)count
        : throw new InputException(
            $"{_archive.Path}: tensor {_archive.Entry(ZegClipNames.ShallowPrompts)}: expected [1, prompts, width] with 1 to 4096 prompts.");

    /// <summary>Layers of the decoder.</summary>
    internal int DecoderLayers
    {
        get
        {
            int layers = 0;
            while (_archive.Entries.ContainsKey($"{ZegClipNames.Layers}{layers}.linear1.weight"))
            {
                layers++;
            }

            return layers is > 0 and <= 64
                ? layers
                : throw new InputException(
                    $"{_archive.Path}: expected a decoder of 1 to 64 layers ('{ZegClipNames.Layers}0.linear1.weight', ...), found {layers}.");
        }
    }

    /// <summary>Hidden width of the decoder's feed-forward part, as a multiple of its width.</summary>
    internal int FeedForwardRatio
    {
        get
        {
            TensorEntry entry = _archive.Entry($"{ZegClipNames.Layers}0.linear1.weight");
            return entry.Shape is [var hidden, > 0 and var width] && hidden % width == 0 && hidden / width is > 0 and <= 64 and var ratio
                ? (int)ratio
                : throw new InputException($"{_archive.Path}: tensor {entry}: expected [a multiple of the width, width].");
        }
    }

    /// <summary>Opens a file and looks at its tensors' names.</summary>
    /// <exception cref="InputException">It is missing, damaged or something else.</exception>
    internal static ZegClipFile Open(string path)
    {
        TensorArchive archive = TensorArchive.Open(path);
        try
        {
            return new ZegClipFile(archive);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor of floats that must be there with a shape.</summary>
    /// <exception cref="InputException">It is missing, or of another shape or type.</exception>
    internal static TensorEntry Entry(TensorArchive archive, string name, int[] shape, string why = "")
    {
        string wanted = string.Join(", ", shape);
        if (!archive.Entries.TryGetValue(name, out TensorEntry? entry))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' is missing, expected [{wanted}].");
        }

        if (!entry.Shape.SequenceEqual(shape.Select(size => (long)size)))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' has shape [{string.Join(", ", entry.Shape)}], expected [{wanted}]{why}.");
        }

        return entry.DType is DType.Float32 or DType.Float16 or DType.BFloat16 or DType.Float64
            ? entry
            : throw new InputException($"{archive.Path}: tensor '{name}' holds {entry.DType}, expected floating-point numbers.");
    }

    /// <summary>Reads the trained tensors into a model of the same sizes.</summary>
    /// <exception cref="InputException">One is missing, has another shape, or is not finite; or the file has one that no model has.</exception>
    internal void Restore(LoadedModel loaded)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, _) in loaded.Clip.Parameters())
        {
            known.Add(ZegClipNames.Frozen(name) ?? "");
        }

        foreach (var (name, parameter) in loaded.Model.Parameters())
        {
            string theirs = ZegClipNames.Trained(name);
            known.Add(theirs);
            int[] shape = parameter.Shape.ToArray();
            Entry(_archive, theirs, theirs == ZegClipNames.ShallowPrompts ? [1, .. shape] : shape);
            parameter.Value.CopyFromHost<float>(_archive.ReadFinite(theirs));
        }

        if (_archive.Entries.Keys.FirstOrDefault(name => !known.Contains(name) && !ZegClipNames.IsUnused(name)) is { } unknown)
        {
            throw new InputException(
                $"{_archive.Path}: tensor {_archive.Entries[unknown]} is none of ZegCLIP's; expected a checkpoint of the published model.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    private static string Describe(TensorArchive archive) =>
        archive.Entries.ContainsKey("visual.prompt.shallow") ? "one that `ldvc train` or `ldvc import` wrote, which is used as it is"
        : archive.Entries.ContainsKey("visual.conv1.weight") ? "a CLIP (that goes to --clip)"
        : archive.Entries.ContainsKey("vision_model.embeddings.patch_embedding.weight") ? "a CLIP (that goes to --clip)"
        : $"{archive.Entries.Count} tensors, the first of them {ConfigText.Quote(archive.Entries.Keys.FirstOrDefault() ?? "")}";
}
