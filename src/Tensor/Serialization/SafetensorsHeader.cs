using System.Buffers.Binary;
using System.Text.Json;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The JSON header of a safetensors file, read strictly: nothing it says is used before it has been compared with the file. Refused are a header
/// above 100 MB or beyond the file's end, any key given twice or unknown, types and shapes that do not give the byte range they claim, and byte
/// ranges that overlap, leave holes, or do not end where the file ends.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's own bound on the header.</summary>
    public const long LargestHeader = 100_000_000;

    // Each costs some hundred bytes of memory. The largest published models, all shards together, have less than 100000.
    private const int MaxTensors = 200_000;
    private const int MaxNumbers = 64;

    private readonly string _path;
    private readonly long _dataStart;
    private readonly long _dataLength;
    private readonly Dictionary<string, TensorEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _offsets = new(StringComparer.Ordinal);
    private readonly List<(long Begin, long End, string Name)> _ranges = [];

    private SafetensorsHeader(string path, long dataStart, long dataLength)
    {
        _path = path;
        _dataStart = dataStart;
        _dataLength = dataLength;
    }

    /// <summary>Tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries => _entries;

    /// <summary>The <c>__metadata__</c> strings.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Absolute file offset of each tensor's first byte.</summary>
    public IReadOnlyDictionary<string, long> Offsets => _offsets;

    /// <summary>Checksum of each tensor's bytes; empty where the file has none.</summary>
    public IReadOnlyDictionary<string, uint> Checksums { get; private set; } = new Dictionary<string, uint>();

    /// <summary>Reads and checks the header of a file.</summary>
    public static SafetensorsHeader Read(ArchiveSource source)
    {
        if (source.Length < 8)
        {
            throw new InputException($"{source.Path}: a safetensors file has at least 8 bytes, got {source.Length}.");
        }

        Span<byte> prefix = stackalloc byte[8];
        source.Read(0, prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        ulong limit = (ulong)Math.Min(LargestHeader, source.Length - 8);
        if (length > limit)
        {
            throw new InputException($"{source.Path}: the safetensors header claims {length} bytes, expected at most {limit}.");
        }

        byte[] whole = new byte[8 + (int)length];
        source.Read(0, whole);
        var header = new SafetensorsHeader(source.Path, 8 + (long)length, source.Length - 8 - (long)length);
        try
        {
            header.Parse(whole.AsSpan(8));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // Utf8JsonReader reports a wrong kind of value, or text that is not UTF-8, by these.
            throw new InputException($"{source.Path}: the safetensors header is not the JSON it should be ({FirstLine(e.Message)})", e);
        }

        header.CheckRanges();
        header.Checksums = SafetensorsChecksums.Take(whole, header._metadata, header._ranges.ConvertAll(range => range.Name), source.Path);
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        Expect(ref reader, JsonTokenType.StartObject, "the header", name => name);
        bool metadataSeen = false;
        while (NextName(ref reader, out string name))
        {
            if (name != "__metadata__")
            {
                ParseTensor(ref reader, name);
                continue;
            }

            if (metadataSeen)
            {
                throw new InputException($"{_path}: the header has '__metadata__' twice.");
            }

            metadataSeen = true;
            ParseMetadata(ref reader);
        }

        if (reader.Read())
        {
            throw new InputException($"{_path}: the safetensors header goes on after its end.");
        }
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "'__metadata__'", name => name);
        while (NextName(ref reader, out string key))
        {
            Expect(ref reader, JsonTokenType.String, key, name => $"metadata {ArchiveText.Quote(name)}");
            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw new InputException($"{_path}: the header has metadata {ArchiveText.Quote(key)} twice.");
            }
        }
    }

    private void ParseTensor(ref Utf8JsonReader reader, string name)
    {
        if (_entries.Count == MaxTensors)
        {
            throw new InputException($"{_path}: the header has more than {MaxTensors} tensors.");
        }

        string? dtype = null;
        long[]? shape = null;
        long[]? range = null;
        Expect(ref reader, JsonTokenType.StartObject, name, What);
        while (NextName(ref reader, out string key))
        {
            bool first = key switch
            {
                "dtype" => dtype is null,
                "shape" => shape is null,
                "data_offsets" => range is null,
                _ => throw new InputException($"{_path}: {What(name)} has an unknown key {ArchiveText.Quote(key)}."),
            };
            if (!first)
            {
                throw new InputException($"{_path}: {What(name)} has '{key}' twice.");
            }

            if (key == "dtype")
            {
                Expect(ref reader, JsonTokenType.String, name, What);
                dtype = reader.GetString()!;
            }
            else
            {
                long[] numbers = ParseNumbers(ref reader, name, key);
                shape = key == "shape" ? numbers : shape;
                range = key == "shape" ? range : numbers;
            }
        }

        if (dtype is null || shape is null || range is null)
        {
            throw new InputException($"{_path}: {What(name)} needs 'dtype', 'shape' and 'data_offsets'.");
        }

        Add(name, dtype, shape, range);
    }

    private static string What(string name) => $"tensor {ArchiveText.Quote(name)}";

    private void Add(string name, string dtypeName, long[] shape, long[] range)
    {
        if (!SafetensorsTypes.TryParse(dtypeName, out DType dtype))
        {
            throw new InputException($"{_path}: {What(name)} has type {ArchiveText.Quote(dtypeName)}, expected one of {SafetensorsTypes.Known}.");
        }

        if (!ArchiveText.TryCount(shape, out long count) || count > long.MaxValue / dtype.Size())
        {
            throw new InputException($"{_path}: {What(name)} has an impossible shape {ArchiveText.Shape(shape)}.");
        }

        if (range.Length != 2 || range[0] < 0 || range[1] < range[0] || range[1] > _dataLength)
        {
            throw new InputException(
                $"{_path}: {What(name)} claims bytes {ArchiveText.Shape(range)}, expected a begin and an end within the file's {_dataLength} data "
                    + "bytes.");
        }

        if (range[1] - range[0] != count * dtype.Size())
        {
            throw new InputException(
                $"{_path}: {What(name)} of {dtypeName} {ArchiveText.Shape(shape)} needs {count * dtype.Size()} bytes, "
                + $"its offsets give {range[1] - range[0]}.");
        }

        if (!_entries.TryAdd(name, new TensorEntry(name, dtype, shape, count)))
        {
            throw new InputException($"{_path}: the header has {What(name)} twice.");
        }

        _offsets.Add(name, _dataStart + range[0]);
        _ranges.Add((range[0], range[1], name));
    }

    /// <summary>The tensors must tile the data exactly: no byte used twice, none unexplained.</summary>
    private void CheckRanges()
    {
        _ranges.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long end = 0;
        foreach ((long begin, long next, string name) in _ranges)
        {
            if (begin != end)
            {
                string fault = begin < end ? "overlaps the tensor before it" : "leaves a hole before it";
                throw new InputException($"{_path}: tensor {ArchiveText.Quote(name)} at byte {begin} {fault}, expected byte {end}.");
            }

            end = next;
        }

        if (end != _dataLength)
        {
            throw new InputException($"{_path}: the tensors cover {end} bytes of data, the file has {_dataLength}.");
        }
    }

    private long[] ParseNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        Expect(ref reader, JsonTokenType.StartArray, name, What);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
            {
                throw new InputException($"{_path}: {What(name)} has '{key}' with something else than non-negative 64-bit integers.");
            }

            numbers.Add(number);
            if (numbers.Count > MaxNumbers)
            {
                throw new InputException($"{_path}: {What(name)} has '{key}' with more than {MaxNumbers} numbers.");
            }
        }

        return [.. numbers];
    }

    private static bool NextName(ref Utf8JsonReader reader, out string name)
    {
        name = reader.Read() && reader.TokenType == JsonTokenType.PropertyName ? reader.GetString()! : "";
        return reader.TokenType == JsonTokenType.PropertyName;
    }

    // What is expected where is put into words for a message alone: headers have a hundred thousand of these.
    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string name, Func<string, string> what)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new InputException($"{_path}: the safetensors header has {reader.TokenType} in {what(name)}, expected {type}.");
        }
    }

    private static string FirstLine(string message) => message.Split('\n')[0].Trim();
}
