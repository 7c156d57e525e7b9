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

        byte[] json = new byte[(int)length];
        source.Read(8, json);
        var header = new SafetensorsHeader(source.Path, 8 + (long)length, source.Length - 8 - (long)length);
        try
        {
            header.Parse(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // Utf8JsonReader reports a wrong kind of value, or text that is not UTF-8, by these.
            throw new InputException($"{source.Path}: the safetensors header is not the JSON it should be ({FirstLine(e.Message)})", e);
        }

        header.CheckRanges();
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        Expect(ref reader, JsonTokenType.StartObject, "the header");
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
        Expect(ref reader, JsonTokenType.StartObject, "'__metadata__'");
        while (NextName(ref reader, out string key))
        {
            Expect(ref reader, JsonTokenType.String, $"metadata {ArchiveText.Quote(key)}");
            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw new InputException($"{_path}: the header has metadata {ArchiveText.Quote(key)} twice.");
            }
        }
    }

    private void ParseTensor(ref Utf8JsonReader reader, string name)
    {
        string what = $"tensor {ArchiveText.Quote(name)}";
        string? dtype = null;
        long[]? shape = null;
        long[]? range = null;
        Expect(ref reader, JsonTokenType.StartObject, what);
        while (NextName(ref reader, out string key))
        {
            bool first = key switch
            {
                "dtype" => dtype is null,
                "shape" => shape is null,
                "data_offsets" => range is null,
                _ => throw new InputException($"{_path}: {what} has an unknown key {ArchiveText.Quote(key)}."),
            };
            if (!first)
            {
                throw new InputException($"{_path}: {what} has '{key}' twice.");
            }

            if (key == "dtype")
            {
                Expect(ref reader, JsonTokenType.String, what);
                dtype = reader.GetString()!;
            }
            else
            {
                long[] numbers = ParseNumbers(ref reader, what, key);
                shape = key == "shape" ? numbers : shape;
                range = key == "shape" ? range : numbers;
            }
        }

        if (dtype is null || shape is null || range is null)
        {
            throw new InputException($"{_path}: {what} needs 'dtype', 'shape' and 'data_offsets'.");
        }

        Add(name, dtype, shape, range);
    }

    private void Add(string name, string dtypeName, long[] shape, long[] range)
    {
        string what = $"tensor {ArchiveText.Quote(name)}";
        if (!SafetensorsTypes.TryParse(dtypeName, out DType dtype))
        {
            throw new InputException($"{_path}: {what} has type {ArchiveText.Quote(dtypeName)}, expected one of {SafetensorsTypes.Known}.");
        }

        if (!ArchiveText.TryCount(shape, out long count) || count > long.MaxValue / dtype.Size())
        {
            throw new InputException($"{_path}: {what} has an impossible shape {ArchiveText.Shape(shape)}.");
        }

        if (range.Length != 2 || range[0] < 0 || range[1] < range[0] || range[1] > _dataLength)
        {
            throw new InputException(
                $"{_path}: {what} claims bytes {ArchiveText.Shape(range)}, expected a begin and an end within the file's {_dataLength} data bytes.");
        }

        if (range[1] - range[0] != count * dtype.Size())
        {
            throw new InputException(
                $"{_path}: {what} of {dtypeName} {ArchiveText.Shape(shape)} needs {count * dtype.Size()} bytes, "
                + $"its offsets give {range[1] - range[0]}.");
        }

        if (!_entries.TryAdd(name, new TensorEntry(name, dtype, shape, count)))
        {
            throw new InputException($"{_path}: the header has {what} twice.");
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

    private long[] ParseNumbers(ref Utf8JsonReader reader, string what, string key)
    {
        Expect(ref reader, JsonTokenType.StartArray, what);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
            {
                throw new InputException($"{_path}: {what} has '{key}' with something else than non-negative 64-bit integers.");
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static bool NextName(ref Utf8JsonReader reader, out string name)
    {
        name = reader.Read() && reader.TokenType == JsonTokenType.PropertyName ? reader.GetString()! : "";
        return reader.TokenType == JsonTokenType.PropertyName;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new InputException($"{_path}: the safetensors header has {reader.TokenType} in {what}, expected {type}.");
        }
    }

    private static string FirstLine(string message) => message.Split('\n')[0].Trim();
}
