using System.Text.Json;
using Ldvc.Imaging;
using Ldvc.Kernels;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// open_clip's open_clip_config.json. Without "quick_gelu": true a model has GELU. Options that make another network of it are refused by name: their
/// weights would load and give wrong features.
/// </summary>
internal static class OpenClipConfig
{
    /// <summary>The file's name beside the weights.</summary>
    internal const string FileName = "open_clip_config.json";

    // Where text_cfg does not say how many, whatever the width.
    private const int UsualTextHeads = 8;

    // Options of the towers, and the only value that is computed here.
    private static readonly (string Key, string Value)[] Vision =
    [
        ("timm_model_name", "null"), ("attentional_pool", "false"), ("global_average_pool", "false"), ("no_ln_pre", "false"),
            ("input_patchnorm", "false"),
        ("ls_init_value", "null"),
        ("pool_type", "\"tok\""),
        ("final_ln_after_pool", "false"),
        ("pos_embed_type", "\"learnable\""),
        ("act_kwargs", "null"),
    ];

    private static readonly (string Key, string Value)[] Text =
    [
        ("hf_model_name", "null"), ("no_causal_mask", "false"), ("embed_cls", "false"), ("ls_init_value", "null"), ("pool_type", "\"argmax\""),
            ("act_kwargs", "null"),
        ("proj_bias", "false"), ("final_ln_after_pool", "false"),
    ];

    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">It is damaged, or of another kind of model.</exception>
    internal static ClipSettings Read(string path) => ClipJson.Read(path, json =>
    {
        JsonSection model = new JsonSection(path, "", json).Section("model_cfg");
        if (!model.Exists)
        {
            throw new InputException($"{path}: has no model_cfg; expected the configuration that open_clip writes.");
        }

        JsonSection vision = model.Section("vision_cfg"), text = model.Section("text_cfg");
        Refuse(vision, Vision);
        Refuse(text, Text);
        var sizes = new List<StatedSize>();
        model.State(sizes, "embed_dim", c => c.Embedding);
        Tower(vision, sizes, c => c.Vision);
        Tower(text, sizes, c => c.Text);
        if (Side(vision, "patch_size") is { } patch)
        {
            sizes.Add(new StatedSize(vision.Key("patch_size"), patch, c => c.PatchSize));
        }

        text.State(sizes, "context_length", c => c.ContextLength);
        text.State(sizes, "vocab_size", c => c.VocabularySize);
        if (Side(vision, "image_size") is { } image)
        {
            sizes.Add(new StatedSize(vision.Key("image_size"), image, c => Math.Floor(image / c.PatchSize) == c.Grid ? image : c.ImageSize));
        }

        bool quick = model.Find("quick_gelu") is { } flag
            && (flag.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.GetBoolean() : throw model.Bad("quick_gelu", "true or false"));
        Activation activation = quick ? Activation.QuickGelu : Activation.Gelu;
        return new ClipSettings(
            path,
            new TowerSettings { Activation = activation, NormEpsilon = vision.Section("norm_kwargs").Epsilon("eps"), HeadWidth = HeadWidth(vision) },
            new TowerSettings
            {
                Activation = activation,
                NormEpsilon = text.Section("norm_kwargs").Epsilon("eps"),
                Heads = text.Whole("heads") ?? (text.Exists ? UsualTextHeads : null),
            },
            sizes);
    });

    /// <summary>Mean and standard deviation under preprocess_cfg; null when the file or the key is missing.</summary>
    /// <exception cref="InputException">The file is damaged.</exception>
    internal static ImageStatistics? Statistics(string path) => !File.Exists(path) ? null : ClipJson.Read(path, json =>
    {
        JsonSection section = new JsonSection(path, "", json).Section("preprocess_cfg");
        return section.Find("mean") is null && section.Find("std") is null
            ? null
            : new ImageStatistics(
                path, Three(section, "mean", ImageStatistics.Clip.Mean, 0), Three(section, "std", ImageStatistics.Clip.Std, 1e-6));
    });

    private static float[] Three(JsonSection section, string key, float[] otherwise, double smallest)
    {
        if (section.Find(key) is not { } list)
        {
            return otherwise;
        }

        double[] values = list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(Number)] : [];
        return values.Length == 3 && values.All(v => v >= smallest && v <= 1)
            ? [.. values.Select(v => (float)v)]
            : throw section.Bad(key, smallest > 0 ? "three positive numbers of at most 1" : "three numbers from 0 to 1");
    }

    private static double Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : double.NaN;

    private static int HeadWidth(JsonSection vision) => vision.Whole("head_width") is { } width
        ? width > 0 ? width : throw vision.Bad("head_width", "a divisor of the vision tower's width")
        : 64;

    private static void Tower(JsonSection section, List<StatedSize> sizes, Func<ClipConfig, TowerConfig> tower)
    {
        section.State(sizes, "width", c => tower(c).Width);
        if (section.Find("layers") is { ValueKind: JsonValueKind.Array })
        {
            throw section.Bad("layers", "a number: LDVC needs a vision transformer, not a ResNet");
        }

        section.State(sizes, "layers", c => tower(c).Layers);
        if (section.Number("mlp_ratio") is { } ratio)
        {
            // 4.3637 gives 6144 of 1408: the product is cut to a whole number there.
            sizes.Add(new StatedSize(section.Key("mlp_ratio"), ratio,
                c => (int)(tower(c).Width * ratio) == tower(c).MlpWidth ? ratio : (double)tower(c).MlpWidth / tower(c).Width));
        }
    }

    // A number, or two. A grid that is not square has as many positions as a square one if its numbers allow (4 x 9), and each would be another's.
    private static double? Side(JsonSection section, string key)
    {
        if (section.Find(key) is not { ValueKind: JsonValueKind.Array } list)
        {
            return section.Number(key);
        }

        double[] sides = [.. list.EnumerateArray().Select(Number)];
        return sides.Length == 2 && sides[0] == sides[1] ? sides[0] : throw section.Bad(key, "one number, or the same one twice: a square");
    }

    private static void Refuse(JsonSection section, (string Key, string Value)[] only)
    {
        foreach (var (key, value) in only)
        {
            if (section.Find(key) is { } found && found.GetRawText() is var text && text != value && text != "{}")
            {
                throw section.Bad(key, value == "null" ? "a CLIP without it" : value.Trim('"'));
            }
        }
    }
}
