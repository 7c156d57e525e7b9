using System.Globalization;
using System.Text.Json;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>
/// Writes a CLIP as a Hugging Face folder: model.safetensors, config.json, preprocessor_config.json (the tokenizer writes its own files).
/// </summary>
internal static class ClipWriter
{
    private static readonly JsonSerializerOptions Indented = new(JsonText.Plain) { WriteIndented = true };

    /// <summary>Writes the folder with CLIP's resizing and the given statistics; for models whose last two ids are start and end of text.</summary>
    internal static void Save(ClipModel model, string folder, DType type, ReadOnlySpan<float> mean, ReadOnlySpan<float> std)
    {
        var preprocessor = PreprocessorConfig.Default(model.Config.ImageSize) with { Mean = mean.ToArray(), Std = std.ToArray() };
        Save(model, folder, type, preprocessor, null);
    }

    /// <summary>
    /// Writes the folder; tensors are stored in the given type. The ids of start and end of text are the tokenizer's, without one those that the
    /// model came with, else the last two, as in OpenAI's vocabulary. Each file appears whole or not at all.
    /// </summary>
    internal static void Save(ClipModel model, string folder, DType type, PreprocessorConfig preprocessor, ClipTokenizer? tokenizer)
    {
        OutputFolder.Create(folder);
        var writer = new SafetensorsWriter { Checksums = true };
        writer.SetMetadata("format", "pt");
        foreach (var (name, parameter) in model.Parameters())
        {
            float[] values = parameter.Value.ToArray();
            string[] parts = ClipNames.HuggingFace(name);
            long[] shape = [.. parameter.Shape.ToArray().Select(s => (long)s)];
            if (name == "logit_scale")
            {
                shape = [];
            }
            else
            {
                shape[0] /= parts.Length;
            }

            int each = values.Length / parts.Length;
            for (int i = 0; i < parts.Length; i++)
            {
                writer.AddFloat32(parts[i], shape, values.AsMemory(i * each, each), type);
            }
        }

        writer.Save(Path.Combine(folder, "model.safetensors"));
        WriteJson(Path.Combine(folder, "config.json"), Config(model, tokenizer));
        WriteJson(Path.Combine(folder, PreprocessorConfigReader.FileName), Preprocessor(preprocessor));
    }

    private static Dictionary<string, object> Preprocessor(PreprocessorConfig config) => new()
    {
        ["do_resize"] = true,
        ["size"] = config.Exact is { } exact ? Sides(exact) : config.ShortSide!.Value,
        ["resample"] = config.Filter == ResampleFilter.Bilinear ? 2 : 3,
        ["do_center_crop"] = true,
        ["crop_size"] = config.Crop.Height == config.Crop.Width ? config.Crop.Height : Sides(config.Crop),
        ["do_normalize"] = true,
        ["image_mean"] = config.Mean,
        ["image_std"] = config.Std,
    };

    private static Dictionary<string, int> Sides((int Height, int Width) size) => new() { ["height"] = size.Height, ["width"] = size.Width };

    private static Dictionary<string, object> Config(ClipModel model, ClipTokenizer? tokenizer)
    {
        ClipConfig config = model.Config;
        int end = tokenizer?.EndOfText ?? model.EndOfText ?? config.VocabularySize - 1;
        return new()
        {
            ["architectures"] = new[] { "CLIPModel" },
            ["model_type"] = "clip",
            ["projection_dim"] = config.Embedding,
            ["logit_scale_init_value"] = 2.6592,
            ["text_config"] = new Dictionary<string, object>
            {
                ["hidden_size"] = config.Text.Width,
                ["intermediate_size"] = config.Text.MlpWidth,
                ["num_attention_heads"] = config.Text.Heads,
                ["num_hidden_layers"] = config.Text.Layers,
                ["max_position_embeddings"] = config.ContextLength,
                ["vocab_size"] = config.VocabularySize,
                ["hidden_act"] = Activation(config.Text),
                ["layer_norm_eps"] = Epsilon(config.Text),
                ["projection_dim"] = config.Embedding,
                ["bos_token_id"] = tokenizer?.StartOfText ?? end - 1,
                ["eos_token_id"] = end,
            },
            ["vision_config"] = new Dictionary<string, object>
            {
                ["hidden_size"] = config.Vision.Width,
                ["intermediate_size"] = config.Vision.MlpWidth,
                ["num_attention_heads"] = config.Vision.Heads,
                ["num_hidden_layers"] = config.Vision.Layers,
                ["image_size"] = config.ImageSize,
                ["patch_size"] = config.PatchSize,
                ["hidden_act"] = Activation(config.Vision),
                ["layer_norm_eps"] = Epsilon(config.Vision),
                ["projection_dim"] = config.Embedding,
            },
        };
    }

    private static string Activation(TowerConfig tower) => tower.Activation == Kernels.Activation.Gelu ? "gelu" : "quick_gelu";

    // The shortest decimal number that reads back as this float: 1e-05, not 9.999999747378752e-06.
    private static double Epsilon(TowerConfig tower) =>
        double.Parse(tower.NormEpsilon.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static void WriteJson(string path, object value) =>
        Tensors.Serialization.AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, value, Indented));
}
