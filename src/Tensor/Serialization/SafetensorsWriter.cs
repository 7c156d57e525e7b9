using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Ldvc.Tensors.Serialization;

/// <summary>Gives the values of a tensor piece by piece: fills <paramref name="destination"/> with the row-major elements from an index on.</summary>
public delegate void TensorFill<T>(long firstElement, Span<T> destination);

/// <summary>
/// Writes a safetensors file. Tensors are added by name first and written by <see cref="Save"/> in one pass, a piece at a time, so a large model is
/// never held twice. The layout depends on names, types and shapes alone: wider types first (every tensor stays aligned to its element), then by
/// name; the data starts at a multiple of 8 bytes. The file appears whole or not at all (see <see cref="AtomicFile"/>).
/// </summary>
public sealed partial class SafetensorsWriter
{
    private const int ChunkElements = 1 << 16;

    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Pending> _tensors = new(StringComparer.Ordinal);

    /// <summary>Sets one entry of <c>__metadata__</c>.</summary>
    /// <exception cref="ArgumentException">The key is one of the two that hold a file's checksums, or holds half of a surrogate pair.</exception>
    public void SetMetadata(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        if (key is SafetensorsChecksums.TensorsKey or SafetensorsChecksums.HeaderKey)
        {
            throw new ArgumentException($"metadata '{key}': expected another key, this one holds the file's checksums", nameof(key));
        }

        CheckName("metadata", key);
        SetAny(key, value);
    }

    /// <summary>The same for keys that are not the caller's.</summary>
    internal void SetAny(string key, string value) => _metadata[key] = value;

    /// <summary>Whether the file gets checksums of its header and of every tensor (see <see cref="SafetensorsChecksums"/>).</summary>
    internal bool Checksums { get; set; }

    /// <summary>Adds a float tensor from memory, which must not change before <see cref="Save"/>.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="values">Row-major elements.</param>
    /// <param name="storage">Float32, or Float16 or BFloat16 (rounded to nearest even); <see cref="Save"/> refuses numbers beyond Float16's 65504.
    /// </param>
    public void AddFloat32(string name, long[] shape, ReadOnlyMemory<float> values, DType storage = DType.Float32)
    {
        CheckLength(name, shape, values.Length);
        AddFloat32(name, shape, (first, part) => values.Span.Slice((int)first, part.Length).CopyTo(part), storage);
    }

    /// <summary>Adds a float tensor whose values are asked for while the file is written.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="fill">Called with ascending pieces of at most 65536 elements.</param>
    /// <param name="storage">Float32, or Float16 or BFloat16 (rounded to nearest even); <see cref="Save"/> refuses numbers beyond Float16's 65504.
    /// </param>
    public void AddFloat32(string name, long[] shape, TensorFill<float> fill, DType storage = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(fill);
        if (storage is not (DType.Float32 or DType.Float16 or DType.BFloat16))
        {
            throw new ArgumentOutOfRangeException(nameof(storage), storage, "floats are stored as Float32, BFloat16 or Float16");
        }

        Add(name, storage, shape, (first, stored, scratch) =>
        {
            Span<float> part = scratch.AsSpan(0, stored.Length / storage.Size());
            fill(first, part);
            Float16Range.CheckStored(name, first, part, storage);
            ElementConversion.FromFloat32(storage, part, stored);
        });
    }

    /// <summary>Adds an I32 tensor from memory, which must not change before <see cref="Save"/>.</summary>
    public void AddInt32(string name, long[] shape, ReadOnlyMemory<int> values) => AddValues(name, DType.Int32, shape, values);

    /// <summary>Adds an I64 tensor from memory, which must not change before <see cref="Save"/>.</summary>
    public void AddInt64(string name, long[] shape, ReadOnlyMemory<long> values) => AddValues(name, DType.Int64, shape, values);

    /// <summary>Adds a U8 tensor from memory, which must not change before <see cref="Save"/>.</summary>
    public void AddUInt8(string name, long[] shape, ReadOnlyMemory<byte> values) => AddValues(name, DType.UInt8, shape, values);

    /// <summary>Writes the file.</summary>
    /// <exception cref="InputException">The file cannot be written, or a number does not fit its type; what was there before is still
    /// there.</exception>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the file's bytes into a stream, which must be able to go back to its beginning where there are checksums.</summary>
    internal void Write(Stream stream)
    {
        Pending[] ordered = [.. _tensors.Values.OrderByDescending(t => t.Type.Size()).ThenBy(t => t.Name, StringComparer.Ordinal)];
        if (Checksums)
        {
            SetAny(SafetensorsChecksums.TensorsKey, new string('0', SafetensorsChecksums.Digits * ordered.Length));
            SetAny(SafetensorsChecksums.HeaderKey, new string('0', SafetensorsChecksums.Digits));
        }

        byte[] header = Header(ordered);
        stream.Write(header);
        byte[] buffer = new byte[ChunkElements * 8];
        float[] scratch = new float[ChunkElements];
        var sums = new StringBuilder();
        foreach (Pending tensor in ordered)
        {
            sums.Append(SafetensorsChecksums.Text(Write(stream, tensor, buffer, scratch)));
        }

        if (Checksums)
        {
            // Known only now: the header stands first, and its length does not change.
            Fill(header, sums.ToString());
            stream.Position = 0;
            stream.Write(header);
        }
    }

    private uint Write(Stream stream, Pending tensor, byte[] buffer, float[] scratch)
    {
        uint checksum = 0;
        for (long first = 0; first < tensor.Count; first += ChunkElements)
        {
            int bytes = (int)Math.Min(ChunkElements, tensor.Count - first) * tensor.Type.Size();
            tensor.Store(first, buffer.AsSpan(0, bytes), scratch);
            checksum = Checksums ? Crc32C.Of(buffer.AsSpan(0, bytes), checksum) : 0;
            stream.Write(buffer, 0, bytes);
        }

        return checksum;
    }

    private static void Fill(byte[] header, string sums)
    {
        Encoding.ASCII.GetBytes(sums, header.AsSpan(SafetensorsChecksums.Place(header, SafetensorsChecksums.TensorsKey)));
        int own = SafetensorsChecksums.Place(header, SafetensorsChecksums.HeaderKey);
        Encoding.ASCII.GetBytes(SafetensorsChecksums.Text(SafetensorsChecksums.OfHeader(header, own)), header.AsSpan(own));
    }

    private void AddValues<T>(string name, DType type, long[] shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        CheckLength(name, shape, values.Length);
        Add(name, type, shape, (first, stored, _) =>
        {
            ReadOnlySpan<T> part = values.Span.Slice((int)first, stored.Length / type.Size());
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(part).CopyTo(stored);
        });
    }

    private void Add(string name, DType type, long[] shape, Store store)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(shape);
        CheckName("tensor", name);
        if (name == "__metadata__")
        {
            throw new ArgumentException(
                $"tensor {ArchiveText.Quote(name)}: expected another name, safetensors keeps a file's notes under it", nameof(name));
        }

        long count = Count(name, shape);

        if (!_tensors.TryAdd(name, new Pending(name, type, [.. shape], count, store)))
        {
            throw new ArgumentException($"tensor {ArchiveText.Quote(name)} was added twice", nameof(name));
        }
    }

    // Half of a surrogate pair has no bytes in UTF-8: another name would stand in the file, and two could become one.
    private static void CheckName(string what, string name)
    {
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(name[i]))
            {
                throw new ArgumentException(
                    $"{what} {ArchiveText.Quote(name)}: expected Unicode, got half of a surrogate pair (U+{(int)name[i]:X4})", nameof(name));
            }
        }
    }

    private static void CheckLength(string name, long[] shape, int length)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(shape);
        long count = Count(name, shape);
        if (count != length)
        {
            throw new ArgumentException(
                $"tensor {ArchiveText.Quote(name)} {ArchiveText.Shape(shape)}: expected {count} values, got {length}", nameof(shape));
        }
    }

    private static long Count(string name, long[] shape) => ArchiveText.TryCount(shape, out long count)
        ? count
        : throw new ArgumentException(
            $"tensor {ArchiveText.Quote(name)} {ArchiveText.Shape(shape)}: expected sizes of at least 0 that make fewer than 2^63 elements",
            nameof(shape));

    /// <summary>The length prefix and the JSON, padded with blanks (which JSON ignores) to a multiple of 8 bytes.</summary>
    private byte[] Header(Pending[] ordered)
    {
        using var bytes = new MemoryStream();
        bytes.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach (Pending tensor in ordered)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsTypes.Name(tensor.Type));
                WriteNumbers(json, "shape", tensor.Shape);
                long end = offset + (tensor.Count * tensor.Type.Size());
                WriteNumbers(json, "data_offsets", [offset, end]);
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        while (bytes.Length % 8 != 0)
        {
            bytes.WriteByte((byte)' ');
        }

        byte[] header = bytes.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        return header;
    }

    private static void WriteNumbers(Utf8JsonWriter json, string key, long[] numbers)
    {
        json.WriteStartArray(key);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    /// <summary>Puts the stored bytes of the elements from an index on; the floats are scratch space.</summary>
    private delegate void Store(long firstElement, Span<byte> stored, float[] scratch);

    private sealed record Pending(string Name, DType Type, long[] Shape, long Count, Store Store);
}
