using System.Text.Json;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>Hugging Face's config.json. A key that is missing has the value that the transformers package gives it.</summary>
internal static class HuggingFaceConfig
{
    /// <summary>The file's name beside the weights.</summary>
    internal const string FileName = "config.json";

    // Under text_config: the id of the token at whose place transformers takes a text's feature.
    private const string EndOfTextKey = "eos_token_id";

    private const string ModelType = "clip";
    private const int LegacyEndOfText = 2;

    // What the nested projection_dim says when it was left alone; only the outer one counts.
    private const int UnusedProjection = 512;

    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">It is damaged, of another model, or asks for an activation that no CLIP here has.</exception>
    internal static ClipSettings Read(string path) => ClipJson.Read(path, json =>
    {
        var root = new JsonSection(path, "", json);
        string? type = root.Text("model_type");
        if (type is not (null or ModelType))
        {
            throw root.Bad("model_type", $"'{ModelType}'");
        }

        // Older files have the same keys in ..._config_dict, which then count.
        JsonSection vision = root.Section("vision_config_dict", "vision_config"), text = root.Section("text_config_dict", "text_config");
        bool known = type is not null || vision.Exists || text.Exists;
        var sizes = new List<StatedSize>();
        root.State(sizes, "projection_dim", c => c.Embedding);
        Tower(vision, sizes, c => c.Vision);
        Tower(text, sizes, c => c.Text);
        vision.State(sizes, "patch_size", c => c.PatchSize);
        vision.State(sizes, "num_channels", _ => 3);
        text.State(sizes, "max_position_embeddings", c => c.ContextLength);
        text.State(sizes, "vocab_size", c => c.VocabularySize);
        if (vision.Number("image_size") is { } image)
        {
            // Pixels beyond the last whole patch are cut off there, so the grid is what has to agree.
            sizes.Add(new StatedSize(vision.Key("image_size"), image, c => Math.Floor(image / c.PatchSize) == c.Grid ? image : c.ImageSize));
        }

        return new ClipSettings(path, Settings(vision, known, type is null ? null : 12), Settings(text, known, type is null ? null : 8), sizes)
        {
            // Older files say 2 whatever the vocabulary, and transformers then takes the largest id of a text, too.
            EndOfText = text.Whole(EndOfTextKey) is { } end and not LegacyEndOfText ? end : null,
        };
    });

    private static void Tower(JsonSection section, List<StatedSize> sizes, Func<ClipConfig, TowerConfig> tower)
    {
        section.State(sizes, "hidden_size", c => tower(c).Width);
        section.State(sizes, "num_hidden_layers", c => tower(c).Layers);
        section.State(sizes, "intermediate_size", c => tower(c).MlpWidth);
        if (section.Number("projection_dim") is { } nested and not UnusedProjection)
        {
            sizes.Add(new StatedSize(section.Key("projection_dim"), nested, c => c.Embedding));
        }
    }

    private static TowerSettings Settings(JsonSection section, bool known, int? usualHeads) => new()
    {
        Heads = section.Whole("num_attention_heads") ?? usualHeads,
        NormEpsilon = section.Epsilon("layer_norm_eps"),
        Activation = section.Text("hidden_act") switch
        {
            null => known ? Activation.QuickGelu : null,
            "quick_gelu" => Activation.QuickGelu,
            "gelu" => Activation.Gelu,
            _ => throw section.Bad("hidden_act", "'quick_gelu' or 'gelu'"),
        },
    };
}
