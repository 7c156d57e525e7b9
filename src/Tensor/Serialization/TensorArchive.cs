using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// A file of named tensors, opened for reading: safetensors, or a PyTorch checkpoint (zip, TorchScript or the older plain format). Opening reads and
/// checks the directory only; a tensor's elements are read, and converted, when asked for. Reading is safe from several threads.
/// </summary>
public abstract partial class TensorArchive : IDisposable
{
    // Elements converted at a time: small enough for the caches, large enough that a read is a sequential transfer.
    private const int ChunkElements = 1 << 16;

    private readonly ArchiveSource? _source;
    private readonly HashSet<string> _verified = new(StringComparer.Ordinal);

    private protected TensorArchive(
        ArchiveSource source,
        IReadOnlyDictionary<string, TensorEntry> entries,
        IReadOnlyDictionary<string, string> metadata)
        : this(source.Path, entries, metadata)
    {
        _source = source;
    }

    /// <summary>An archive without a file of its own.</summary>
    private protected TensorArchive(string path, IReadOnlyDictionary<string, TensorEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Path = path;
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>The file's path as it was given.</summary>
    public string Path { get; }

    /// <summary>Every tensor of the file by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    /// <summary>
    /// The file's own notes: safetensors' <c>__metadata__</c>; of a TorchScript archive, under "torchscript.classes", the names of its classes; of a
    /// PyTorch checkpoint the plain data under "meta", where mmcv keeps them, as "meta.iter" and so on, lists and dicts as JSON.
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    private protected ArchiveSource Source => _source ?? throw new InvalidOperationException($"{Path} is not one file");

    /// <summary>
    /// Opens a tensor file; its kind is told by its content, not by its name. The one exception is a name that ends in ".index.json": the list of the
    /// files ("shards") that a large model was cut into, as Hugging Face's tools write it; they lie beside it and are opened as one.
    /// </summary>
    /// <exception cref="InputException">The file is missing, of no known kind, damaged, or holds anything but tensors and plain data.</exception>
    public static TensorArchive Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.EndsWith(ShardedArchive.Suffix, StringComparison.Ordinal)
            ? ShardedArchive.OpenIndex(path)
            : ArchiveDetection.Open(ArchiveSource.Open(path));
    }

    /// <summary>Opens a tensor file held in memory; <paramref name="name"/> stands for its path in messages.</summary>
    /// <exception cref="InputException">As for <see cref="Open(string)"/>.</exception>
    public static TensorArchive Open(ReadOnlyMemory<byte> content, string name) => ArchiveDetection.Open(ArchiveSource.FromMemory(content, name));

    /// <summary>The entry of a tensor that must be there.</summary>
    /// <exception cref="InputException">The file has no such tensor.</exception>
    public TensorEntry Entry(string name) => Entries.TryGetValue(name, out TensorEntry? entry)
        ? entry
        : throw new InputException($"{Path}: expected a tensor {ArchiveText.Quote(name)}, but none of the {Entries.Count} tensors has that name.");

    /// <summary>Reads a tensor, converting every element to binary32 (exact for 16-bit floats and integers below 2^24).</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Row-major elements; its length is the tensor's element count.</param>
    /// <exception cref="InputException">There is no such tensor, its size differs from the destination's, or the file is damaged.</exception>
    public void ReadFloat32(string name, Span<float> destination) => ReadFloat32(name, destination, null);

    /// <summary>
    /// The same; what is done with the values once they are there is done piece by piece, while they are in the processor's caches.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Row-major elements; its length is the tensor's element count.</param>
    /// <param name="look">Gets the pieces in their order: the index of the first element, and the values. It may throw.</param>
    internal void ReadFloat32(string name, Span<float> destination, PieceReader? look)
    {
        TensorEntry entry = Sized(name, destination.Length);
        ElementReader reader = Checked(entry);
        int size = entry.DType.Size();
        byte[] buffer = entry.DType == DType.Float32 ? [] : new byte[Math.Min(ChunkElements, destination.Length) * size];
        for (int first = 0; first < destination.Length; first += ChunkElements)
        {
            Span<float> part = destination.Slice(first, Math.Min(ChunkElements, destination.Length - first));
            if (entry.DType == DType.Float32)
            {
                reader(first, MemoryMarshal.AsBytes(part));
            }
            else
            {
                Span<byte> stored = buffer.AsSpan(0, part.Length * size);
                reader(first, stored);
                ElementConversion.ToFloat32(entry.DType, stored, part);
            }

            look?.Invoke(first, part);
        }
    }

    /// <summary>Reads an integer or bool tensor; every value must fit 32 bits.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Row-major elements; its length is the tensor's element count.</param>
    /// <exception cref="InputException">There is no such tensor, it holds floats or larger values, its size differs, or the file is bad.</exception>
    public void ReadInt32(string name, Span<int> destination)
    {
        TensorEntry entry = Sized(name, destination.Length);
        if (entry.DType is DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16)
        {
            throw new InputException($"{Path}: tensor {ArchiveText.Quote(name)} holds {entry.DType}, expected integers.");
        }

        ElementReader reader = Checked(entry);
        int size = entry.DType.Size();
        byte[] buffer = new byte[Math.Min(ChunkElements, destination.Length) * size];
        for (int first = 0; first < destination.Length; first += ChunkElements)
        {
            Span<int> part = destination.Slice(first, Math.Min(ChunkElements, destination.Length - first));
            Span<byte> stored = buffer.AsSpan(0, part.Length * size);
            reader(first, stored);
            for (int i = 0; i < part.Length; i++)
            {
                long value = ElementConversion.Integer(entry.DType, stored, i);
                if (value is < int.MinValue or > int.MaxValue)
                {
                    throw new InputException($"{Path}: tensor {ArchiveText.Quote(name)} holds {value}, expected integers of at most 32 bits.");
                }

                part[i] = (int)value;
            }
        }
    }

    /// <summary>Reads a tensor into a new array; see <see cref="ReadFloat32(string, Span{float})"/>.</summary>
    /// <exception cref="InputException">As there; also when the tensor exceeds what one array can hold.</exception>
    public float[] ReadFloat32(string name)
    {
        float[] values = new float[ArrayLength(name)];
        ReadFloat32(name, values);
        return values;
    }

    /// <summary>Reads an integer tensor into a new array; see <see cref="ReadInt32(string, Span{int})"/>.</summary>
    /// <exception cref="InputException">As there; also when the tensor exceeds what one array can hold.</exception>
    public int[] ReadInt32(string name)
    {
        int[] values = new int[ArrayLength(name)];
        ReadInt32(name, values);
        return values;
    }

    /// <summary>Reads a tensor of weights: numbers, all of them finite.</summary>
    /// <exception cref="InputException">As for <see cref="ReadFloat32(string)"/>; also when one is NaN or infinite.</exception>
    internal float[] ReadFinite(string name)
    {
        float[] values = new float[ArrayLength(name)];
        ReadFloat32(name, values, (first, piece) => RefuseNotFinite(name, first, piece));
        return values;
    }

    private void RefuseNotFinite(string name, int first, ReadOnlySpan<float> piece)
    {
        int bad = FiniteScan.FirstBad(piece);
        if (bad >= 0)
        {
            string found = float.IsNaN(piece[bad]) ? "nan" : piece[bad] > 0 ? "infinity" : "-infinity";
            throw new InputException($"{Path}: tensor {ArchiveText.Quote(name)} holds {found} at element {first + bad}, expected finite numbers.");
        }
    }

    /// <summary>Compares all tensors that have a checksum with it.</summary>
    /// <exception cref="InputException">One has changed since it was written, or cannot be read; the message names it.</exception>
    internal void Verify()
    {
        byte[]? buffer = null;
        foreach (TensorEntry entry in Entries.Values)
        {
            if (ChecksumOf(entry.Name) is null || IsVerified(entry.Name))
            {
                continue;
            }

            buffer ??= new byte[ChunkElements * sizeof(long)];
            ElementReader reader = Checked(entry);
            for (long first = 0; first < entry.ElementCount; first += ChunkElements)
            {
                reader(first, buffer.AsSpan(0, (int)Math.Min(ChunkElements, entry.ElementCount - first) * entry.DType.Size()));
            }
        }
    }

    /// <summary>
    /// A digest of the names, shapes and bytes of all tensors, and of the notes, by the checksums that the file has of them: no tensor is read. Null
    /// where one has none.
    /// </summary>
    internal string? DigestByChecksums()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (TensorEntry entry in Entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (ChecksumOf(entry.Name) is not { } checksum)
            {
                return null;
            }

            hash.AppendData(Encoding.UTF8.GetBytes($"{entry} {SafetensorsChecksums.Text(checksum)}\n"));
        }

        foreach (var (key, value) in Metadata.OrderBy(note => note.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{key} {value.Length} {value}\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>Looks at values that have just been read.</summary>
    internal delegate void PieceReader(int firstElement, ReadOnlySpan<float> values);

    /// <summary>Fills a span of bytes with the stored elements from a given row-major index on.</summary>
    internal delegate void ElementReader(long firstElement, Span<byte> destination);

    /// <summary>The same for an archive that is a part of another.</summary>
    internal ElementReader OpenElementsOf(string name) => OpenElements(Entries[name]);

    /// <summary>The same for a checksum.</summary>
    internal uint? ChecksumOfTensor(string name) => ChecksumOf(name);

    /// <summary>CRC-32C of a tensor's stored bytes; null when the file does not say.</summary>
    private protected virtual uint? ChecksumOf(string name) => null;

    /// <summary>Gives back what the archive holds open.</summary>
    private protected virtual void Close() => _source?.Dispose();

    /// <summary>Prepares reading one tensor of this file.</summary>
    private protected abstract ElementReader OpenElements(TensorEntry entry);

    private bool IsVerified(string name)
    {
        lock (_verified)
        {
            return _verified.Contains(name);
        }
    }

    // Reads a tensor from its beginning to its end, piece by piece, and compares its checksum with the last piece. Once is enough for an open file.
    private ElementReader Checked(TensorEntry entry)
    {
        ElementReader reader = OpenElements(entry);
        if (ChecksumOf(entry.Name) is not { } expected || IsVerified(entry.Name))
        {
            return reader;
        }

        uint checksum = 0;
        int size = entry.DType.Size();
        return (first, destination) =>
        {
            reader(first, destination);
            checksum = Crc32C.Of(destination, checksum);
            if (first + (destination.Length / size) < entry.ElementCount)
            {
                return;
            }

            if (checksum != expected)
            {
                throw new InputException(
                    $"{Path}: tensor {ArchiveText.Quote(entry.Name)} is damaged: its bytes have the checksum {SafetensorsChecksums.Text(checksum)}, "
                        + $"expected {SafetensorsChecksums.Text(expected)}.");
            }

            lock (_verified)
            {
                _verified.Add(entry.Name);
            }
        };
    }

    private TensorEntry Sized(string name, int length)
    {
        TensorEntry entry = Entry(name);
        return entry.ElementCount == length
            ? entry
            : throw new InputException($"{Path}: tensor {entry} has {entry.ElementCount} elements, expected {length}.");
    }

    private int ArrayLength(string name)
    {
        TensorEntry entry = Entry(name);
        return entry.ElementCount <= Array.MaxLength
            ? (int)entry.ElementCount
            : throw new InputException($"{Path}: tensor {entry} has {entry.ElementCount} elements, expected at most {Array.MaxLength}.");
    }
}
