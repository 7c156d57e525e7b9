namespace Ldvc.Tensors.Serialization;

/// <summary>
/// A safetensors file: eight bytes of header length, a JSON header, then the tensors' bytes back to back, little-endian and row-major. The header is
/// checked in full before any tensor is read (see <see cref="SafetensorsHeader"/>).
/// </summary>
internal sealed class SafetensorsArchive : TensorArchive
{
    private readonly SafetensorsHeader _header;

    private SafetensorsArchive(ArchiveSource source, SafetensorsHeader header)
        : base(source, header.Entries, header.Metadata)
    {
        _header = header;
    }

    /// <summary>Reads and checks the header; the source belongs to the archive from then on.</summary>
    /// <exception cref="InputException">The header lies about itself or about the data.</exception>
    public static SafetensorsArchive Open(ArchiveSource source) => new(source, SafetensorsHeader.Read(source));

    private protected override uint? ChecksumOf(string name) => _header.Checksums.TryGetValue(name, out uint checksum) ? checksum : null;

    private protected override ElementReader OpenElements(TensorEntry entry)
    {
        long start = _header.Offsets[entry.Name];
        int size = entry.DType.Size();
        return (first, destination) => Source.Read(start + (first * size), destination);
    }
}
