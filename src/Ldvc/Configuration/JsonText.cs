using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ldvc.Configuration;

/// <summary>How every JSON file that this software writes is written, and read back: indented, properties in snake_case.</summary>
internal static class JsonText
{
    /// <summary>The serializer's options.</summary>
    internal static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new UnknownNumber() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Results as text, with a line break at the end.</summary>
    public static string Of(object results) => JsonSerializer.Serialize(results, Format) + "\n";
}
