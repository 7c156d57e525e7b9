using System.Text.Encodings.Web;
using System.Text.Json;
using Ldvc.Configuration;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Png.Chunks;

namespace Ldvc.Imaging.Writing;

/// <summary>Class names as a text chunk of a PNG file.</summary>
internal static class PngNames
{
    /// <summary>The chunk's keyword.</summary>
    public const string Keyword = "classes";

    // Readable where it can be: only quotes, backslashes and control characters are escaped.
    private static readonly JsonSerializerOptions Readable = new(JsonText.Plain) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Adds the names as a JSON array.</summary>
    public static void Add(PngMetadata metadata, IReadOnlyList<string> names) =>
        metadata.TextData.Add(new PngTextData(Keyword, JsonSerializer.Serialize(names, Readable), string.Empty, string.Empty));
}
