namespace Ldvc.Tensors.Serialization;

/// <summary>
/// A PyTorch checkpoint: what torch.save writes (zip, or the older plain format) and TorchScript archives. The pickle inside is read by
/// <see cref="PickleMachine"/>, which builds tensors and nothing else; elements are read from the storages when asked for.
/// </summary>
internal sealed class TorchArchive : TensorArchive
{
    /// <summary>Key of the metadata of a TorchScript archive: the names of its classes, separated by commas.</summary>
    internal const string ScriptClasses = "torchscript.classes";

    private readonly Dictionary<string, TorchTensor> _tensors;
    private readonly Dictionary<string, long> _storageOffsets;

    private TorchArchive(
        ArchiveSource source, Dictionary<string, TorchTensor> tensors, Dictionary<string, long> storageOffsets,
            IReadOnlyDictionary<string, string> metadata)
        : base(
            source,
            tensors.ToDictionary(t => t.Key, t => new TensorEntry(t.Key, t.Value.Type, t.Value.Shape, t.Value.Count), StringComparer.Ordinal),
            metadata)
    {
        _tensors = tensors;
        _storageOffsets = storageOffsets;
    }

    /// <summary>Opens a zip archive of torch.save or TorchScript.</summary>
    /// <exception cref="InputException">It is damaged, or not a checkpoint of tensors.</exception>
    public static TorchArchive OpenZip(ArchiveSource source)
    {
        (object? root, Dictionary<string, long> offsets, IReadOnlyCollection<string> classes, long length) = TorchZip.Read(source);
        Dictionary<string, string> metadata = TorchNotes.Collect(root);
        if (classes.Count > 0)
        {
            metadata.Add(ScriptClasses, string.Join(',', classes));
        }

        return new TorchArchive(source, TorchNames.Collect(source, root, length), offsets, metadata);
    }

    /// <summary>Opens a file of torch.save's older, plain format.</summary>
    /// <exception cref="InputException">It is damaged, or not a checkpoint of tensors.</exception>
    public static TorchArchive OpenLegacy(ArchiveSource source)
    {
        (object? root, Dictionary<string, long> offsets, long length) = TorchLegacy.Read(source);
        return new TorchArchive(source, TorchNames.Collect(source, root, length), offsets, TorchNotes.Collect(root));
    }

    private protected override ElementReader OpenElements(TensorEntry entry)
    {
        TorchTensor tensor = _tensors[entry.Name];
        int size = tensor.Type.Size();
        long start = _storageOffsets[tensor.Storage.Key] + (tensor.Offset * size);
        return StridedReader.IsContiguous(tensor)
            ? (first, destination) => Source.Read(start + (first * size), destination)
            : new StridedReader(Source, start, tensor).Read;
    }
}
