using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// JSON from outside: refused as a whole when any text in it is none (half a surrogate pair, bytes that are not UTF-8), which the reader of the
/// framework finds out late and says in several ways.
/// </summary>
internal static class JsonInput
{
    private const int MaxDepth = 64;

    /// <summary>Parses bytes.</summary>
    /// <param name="json">The bytes; they must not change while the document is used.</param>
    /// <param name="duplicates">Whether an object may have a key twice; the last one counts.</param>
    /// <exception cref="JsonException">It is no JSON, nested more than 64 deep, or holds text that is not Unicode.</exception>
    internal static JsonDocument Parse(ReadOnlyMemory<byte> json, bool duplicates = false)
    {
        json = json.Span.StartsWith(Encoding.UTF8.Preamble) ? json[Encoding.UTF8.Preamble.Length..] : json;
        RefuseBrokenText(json.Span);
        return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = duplicates });
    }

    /// <summary>Parses text.</summary>
    /// <exception cref="JsonException">As above.</exception>
    internal static JsonDocument Parse(string json, bool duplicates = false) => Parse(Encoding.UTF8.GetBytes(json), duplicates);

    /// <summary>A list of texts.</summary>
    /// <returns>Null when it is something else.</returns>
    internal static string[]? Texts(string json)
    {
        try
        {
            using JsonDocument document = Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Array && document.RootElement.EnumerateArray().All(
                item => item.ValueKind == JsonValueKind.String)
                ? [.. document.RootElement.EnumerateArray().Select(item => item.GetString()!)]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What went wrong, on one line and without the text around it.</summary>
    internal static string Reason(Exception e) => e.Message.Split('\n')[0].Trim();

    private static void RefuseBrokenText(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
            {
                continue;
            }

            try
            {
                if (!Utf8.IsValid(reader.ValueSpan) || (reader.ValueIsEscaped && reader.GetString() is null))
                {
                    throw new JsonException($"Text that is not UTF-8 at byte {reader.TokenStartIndex}.");
                }
            }
            catch (InvalidOperationException e)
            {
                throw new JsonException($"Half a surrogate pair in the text at byte {reader.TokenStartIndex}.", e);
            }
        }
    }
}
