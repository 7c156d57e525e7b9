using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Comparison;

/// <summary>What the options of a training-free reference file say; attention and residual have the configuration's defaults.</summary>
/// <param name="Templates">Sentences a class.</param>
/// <param name="Config">Attention and residual.</param>
internal sealed record TrainingFreeOptions(int Templates, TrainingFreeConfig Config)
{
    private const int MaxTemplates = 1000;

    /// <summary>Whether a file is of this kind.</summary>
    internal static bool AreIn(ReferenceFile file) =>
        Root(file) is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String
            && kind.ValueEquals(TrainingFreeComparison.Kind);

    /// <summary>Reads them.</summary>
    /// <exception cref="InputException">A value is not as it must be.</exception>
    internal static TrainingFreeOptions Read(ReferenceFile file)
    {
        JsonElement root = Root(file)!.Value;
        int templates = 1;
        if (root.TryGetProperty("templates", out var number)
            && !(number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out templates) && templates is >= 1 and <= MaxTemplates))
        {
            throw Bad(file, "templates", $"a whole number from 1 to {MaxTemplates}", number);
        }

        var config = new TrainingFreeConfig();
        if (root.TryGetProperty("attention", out var attention))
        {
            SelfSimilarity[] all = Enum.GetValues<SelfSimilarity>();
            int found = attention.ValueKind == JsonValueKind.String
                ? Array.FindIndex(all, value => attention.ValueEquals(ConfigWriter.EnumName(value)))
                : -1;
            config = found >= 0
                ? config with { Attention = all[found] }
                : throw Bad(file, "attention", string.Join(", ", all.Select(value => $"\"{ConfigWriter.EnumName(value)}\"")), attention);
        }

        if (root.TryGetProperty("residual", out var residual))
        {
            config = residual.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? config with { Residual = residual.GetBoolean() }
                : throw Bad(file, "residual", "true or false", residual);
        }

        return new TrainingFreeOptions(templates, config);
    }

    private static JsonElement? Root(ReferenceFile file)
    {
        try
        {
            return file.Metadata.TryGetValue("options", out string? text) ? JsonInput.Parse(text).RootElement : null;
        }
        catch (JsonException)
        {
            // Said by what reads files of the other kind.
            return null;
        }
    }

    private static InputException Bad(ReferenceFile file, string name, string expected, JsonElement found)
    {
        string text = found.GetRawText();
        return new($"{file.Path}: option '{name}' is {(text.Length > 60 ? text[..60] + "..." : text)}, expected {expected}.");
    }
}
