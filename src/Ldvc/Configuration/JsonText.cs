using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Configuration;

/// <summary>How every JSON file that this software writes is written, and read back: indented, properties in snake_case.</summary>
internal static class JsonText
{
    /// <summary>
    /// Values inside of other files: one line, ASCII, names as they are. All options here bring their resolver: the serializer has none of its own in
    /// a program that was trimmed.
    /// </summary>
    internal static readonly JsonSerializerOptions Plain = new() { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    /// <summary>The serializer's options.</summary>
    internal static readonly JsonSerializerOptions Format = new()
    {
        TypeInfoResolver = Plain.TypeInfoResolver,
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new UnknownNumber() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // Nothing is null in a file that is not null in the record.
    private static readonly JsonSerializerOptions Strict = new(Format) { RespectNullableAnnotations = true };

    // Of a whole comparison; most have a few kilobytes.
    private const int LargestFile = 64 << 20;

    /// <summary>Results as text, with a line break at the end.</summary>
    public static string Of(object results) => JsonSerializer.Serialize(results, Format) + "\n";

    /// <summary>Writes a file of results, whole or not at all, piece by piece: of many pictures it is larger than a text can be.</summary>
    /// <param name="path">The file.</param>
    /// <param name="results">The same as for <see cref="Of"/>.</param>
    /// <exception cref="InputException">The file cannot be written.</exception>
    internal static void Write(string path, object results) => AtomicFile.Write(path, stream =>
    {
        JsonSerializer.Serialize(stream, results, Format);
        stream.WriteByte((byte)'\n');
    });

    /// <summary>Reads a file back.</summary>
    /// <exception cref="InputException">It is missing, too large, no JSON, or of another shape.</exception>
    internal static T Read<T>(string path) => Read(path, json => json.Deserialize<T>(Strict) ?? throw new JsonException("nothing"));

    /// <summary>The same, with whatever of it is wanted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="take">May throw what elements throw that are not as expected.</param>
    /// <exception cref="InputException">As above.</exception>
    internal static T Read<T>(string path, Func<JsonElement, T> take)
    {
        try
        {
            using JsonDocument document = JsonInput.Parse(PlainFile.ReadAll(path, LargestFile), duplicates: true);
            return take(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or NotSupportedException)
        {
            throw new InputException($"{path}: is not what it should be ({JsonInput.Reason(e)})", e);
        }
    }
}
