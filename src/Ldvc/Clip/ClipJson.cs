using System.Text.Json;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>A CLIP's configuration file: JSON of moderate size, with errors that name the file and the key.</summary>
internal static class ClipJson
{
    private const long MaxBytes = 1 << 20;

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">It cannot be read, or is no JSON of the shape that is expected.</exception>
    internal static T Read<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonInput.Parse(PlainFile.ReadAll(path, MaxBytes), duplicates: true);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new JsonException($"a JSON {document.RootElement.ValueKind}, expected an object");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new InputException($"{path}: not a readable CLIP configuration ({JsonInput.Reason(error)})", error);
        }
    }
}

/// <summary>An object of a configuration file under its dotted name.</summary>
/// <param name="path">The file.</param>
/// <param name="name">The dotted name of the object; empty for the whole file.</param>
/// <param name="places">Where keys are looked up, the first that has one counts.</param>
internal sealed class JsonSection(string path, string name, params IReadOnlyList<JsonElement> places)
{
    /// <summary>Whether the file has the object at all.</summary>
    internal bool Exists => places.Count > 0;

    /// <summary>The dotted name of a key.</summary>
    internal string Key(string key) => name.Length == 0 ? key : $"{name}.{key}";

    /// <summary>The value of a key; null when it is not there or is null.</summary>
    internal JsonElement? Find(string key)
    {
        foreach (JsonElement place in places)
        {
            if (place.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>An object in it; several names stand for one object, whose keys the first that has them decides.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    internal JsonSection Section(params string[] names) => new(path, Key(names[^1]), [.. names.Select(ObjectOf).OfType<JsonElement>()]);

    /// <summary>A whole number.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    internal int? Whole(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Bad(key, "a whole number");

    /// <summary>A number.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    internal double? Number(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number
        : throw Bad(key, "a number");

    /// <summary>A text.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    internal string? Text(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Bad(key, "text");

    /// <summary>Adds a size, where the file states it, to those that are compared with the weights.</summary>
    internal void State(List<StatedSize> sizes, string key, Func<ClipConfig, double> actual)
    {
        if (Number(key) is { } value)
        {
            sizes.Add(new StatedSize(Key(key), value, actual));
        }
    }

    /// <summary>An epsilon of layer normalisations.</summary>
    /// <exception cref="InputException">It is no small positive number.</exception>
    internal float Epsilon(string key)
    {
        double value = Number(key) ?? 1e-5;
        return value is > 0 and <= 1 && (float)value > 0 ? (float)value : throw Bad(key, "a positive number of at most 1");
    }

    private JsonElement? ObjectOf(string key) => Find(key) is not { ValueKind: not JsonValueKind.Object } ? Find(key) : throw Bad(key, "an object");

    /// <summary>A value that is not what it should be.</summary>
    internal InputException Bad(string key, string expected)
    {
        string found = Find(key) is { } value
            ? string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            : "missing";
        found = expected.EndsWith("number", StringComparison.Ordinal) ? found : found.Trim('"');
        return new InputException($"{path}: {Key(key)} is {(found.Length > 80 ? found[..80] + "..." : found)}, expected {expected}.");
    }
}
