namespace Ldvc.Tensors.Serialization;

/// <summary>The tensors of an archive whose names begin alike, without that beginning: one model of a training's checkpoint.</summary>
internal sealed class PartArchive : TensorArchive
{
    private readonly TensorArchive _whole;
    private readonly string _prefix;

    private PartArchive(TensorArchive whole, string prefix, Dictionary<string, TensorEntry> entries)
        : base(whole.Path, entries, whole.Metadata) => (_whole, _prefix) = (whole, prefix);

    /// <summary>Takes ownership of an archive.</summary>
    /// <param name="whole">The archive.</param>
    /// <param name="prefix">What the names begin with.</param>
    internal static PartArchive Of(TensorArchive whole, string prefix) => new(
        whole,
        prefix,
        whole.Entries.Values.Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal) && entry.Name.Length > prefix.Length)
            .Select(entry => new TensorEntry(entry.Name[prefix.Length..], entry.DType, entry.Shape, entry.ElementCount))
            .ToDictionary(entry => entry.Name, StringComparer.Ordinal));

    private protected override uint? ChecksumOf(string name) => _whole.ChecksumOfTensor(_prefix + name);

    private protected override ElementReader OpenElements(TensorEntry entry) => _whole.OpenElementsOf(_prefix + entry.Name);

    private protected override void Close() => _whole.Dispose();
}
