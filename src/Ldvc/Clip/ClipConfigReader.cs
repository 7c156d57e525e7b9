using System.Text.Json;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Clip;

/// <summary>Finds a CLIP's sizes: from the tensors' shapes, and from config.json where the shapes do not tell.</summary>
internal static class ClipConfigReader
{
    private const int HeadWidth = 64;
    private const int MaxWidth = 1 << 15;
    private const int MaxPatch = 256;
    private const long MaxConfigBytes = 1 << 20;

    /// <summary>Sizes of a checkpoint with OpenAI's names; heads are 64 wide, as in every CLIP of OpenAI's, unless open_clip's own configuration says otherwise.</summary>
    internal static ClipConfig FromOpenAi(TensorArchive archive, string? openClipPath = null)
    {
        if (archive.Entries.ContainsKey("visual.layer1.0.conv1.weight"))
        {
            throw new InputException($"{archive.Path}: this is a CLIP with a ResNet image tower; LDVC needs a vision transformer (ViT-B/16, for example)");
        }

        var convolution = Shape(archive, "visual.conv1.weight", 4);
        var positions = Shape(archive, "visual.positional_embedding", 2);
        var tokens = Shape(archive, "token_embedding.weight", 2);
        int patch = (int)convolution[3], embedding = (int)Shape(archive, "text_projection", 2)[1];
        var (visionHeads, textHeads) = openClipPath is null ? (null, null) : ReadOpenClip(openClipPath, (int)convolution[0]);
        var vision = Tower(archive, "visual.transformer.resblocks.", (int)convolution[0], visionHeads, "mlp.c_fc.weight");
        var text = Tower(archive, "transformer.resblocks.", (int)tokens[1], textHeads, "mlp.c_fc.weight");
        return Build(archive, vision, text, embedding, Grid(archive, positions[0]) * patch, patch, (int)Shape(archive, "positional_embedding", 2)[0], (int)tokens[0]);
    }

    /// <summary>Sizes of a checkpoint with Hugging Face's names; the numbers of heads come from config.json when there is one.</summary>
    internal static ClipConfig FromHuggingFace(TensorArchive archive, string? configPath)
    {
        var convolution = Shape(archive, "vision_model.embeddings.patch_embedding.weight", 4);
        var positions = Shape(archive, "vision_model.embeddings.position_embedding.weight", 2);
        var tokens = Shape(archive, "text_model.embeddings.token_embedding.weight", 2);
        int patch = (int)convolution[3], embedding = (int)Shape(archive, "text_projection.weight", 2)[0];
        var (visionHeads, textHeads) = configPath is null ? (null, null) : ReadHeads(configPath);
        var vision = Tower(archive, "vision_model.encoder.layers.", (int)convolution[0], visionHeads, "mlp.fc1.weight");
        var text = Tower(archive, "text_model.encoder.layers.", (int)tokens[1], textHeads, "mlp.fc1.weight");
        int context = (int)Shape(archive, "text_model.embeddings.position_embedding.weight", 2)[0];
        return Build(archive, vision, text, embedding, Grid(archive, positions[0]) * patch, patch, context, (int)tokens[0]);
    }

    private static ClipConfig Build(TensorArchive archive, TowerConfig vision, TowerConfig text, int embedding, int image, int patch, int context, int vocabulary)
    {
        foreach (var (name, tower) in new[] { ("vision", vision), ("text", text) })
        {
            if (tower.Width > MaxWidth || tower.MlpWidth > 16 * MaxWidth)
            {
                throw new InputException($"{archive.Path}: the {name} tower has width {tower.Width} and hidden width {tower.MlpWidth}, expected at most {MaxWidth} and {16 * MaxWidth}.");
            }

            if (tower.Heads < 1 || tower.Width % tower.Heads != 0)
            {
                throw new InputException($"{archive.Path}: the {name} tower's width {tower.Width} does not divide into {tower.Heads} heads");
            }
        }

        if (patch > MaxPatch || image > MaxPatch * MaxPatch || embedding > MaxWidth || (long)vocabulary * text.Width > int.MaxValue)
        {
            throw new InputException(
                $"{archive.Path}: patch {patch}, pictures of {image}, joint width {embedding} and {vocabulary} token ids are not the sizes of a CLIP.");
        }

        return new ClipConfig(vision, text, embedding, image, patch, context, vocabulary);
    }

    private static TowerConfig Tower(TensorArchive archive, string prefix, int width, int? heads, string hiddenName)
    {
        int layers = 0;
        while (archive.Entries.ContainsKey($"{prefix}{layers}.{hiddenName}"))
        {
            layers++;
        }

        if (layers == 0)
        {
            throw new InputException($"{archive.Path}: tensor '{prefix}0.{hiddenName}' is missing; expected a CLIP vision transformer checkpoint");
        }

        int hidden = (int)Shape(archive, $"{prefix}0.{hiddenName}", 2)[0];
        return new TowerConfig(width, layers, heads ?? Math.Max(1, width / HeadWidth), hidden);
    }

    private static long[] Shape(TensorArchive archive, string name, int rank)
    {
        if (!archive.Entries.TryGetValue(name, out var entry))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' is missing; expected a CLIP vision transformer checkpoint");
        }

        if (entry.Shape.Length != rank || entry.Shape.Any(s => s is < 1 or > (1 << 24)))
        {
            throw new InputException($"{archive.Path}: tensor '{name}' should have {rank} dimensions, found shape [{string.Join(", ", entry.Shape)}]");
        }

        return entry.Shape;
    }

    private static int Grid(TensorArchive archive, long positions)
    {
        int grid = (int)Math.Round(Math.Sqrt(positions - 1));
        return grid >= 1 && (long)grid * grid == positions - 1
            ? grid
            : throw new InputException($"{archive.Path}: {positions} position embeddings are not one class token and a square grid");
    }

    private static (int? Vision, int? Text) ReadHeads(string path) =>
        ReadJson(path, root => (Heads(root, "vision_config", path), Heads(root, "text_config", path)));

    // open_clip's own configuration says which GELU its weights were trained with, and how wide a head is: no tensor's shape does, and wrong ones would give wrong features silently.
    private static (int? Vision, int? Text) ReadOpenClip(string path, int visionWidth) => ReadJson(path, root =>
    {
        bool quick = root.TryGetProperty("model_cfg", out var model) && model.TryGetProperty("quick_gelu", out var flag) && flag.ValueKind == JsonValueKind.True;
        if (!quick)
        {
            throw new InputException($"{path}: model_cfg.quick_gelu is not true; expected a CLIP with QuickGELU, as OpenAI's are.");
        }

        int? headWidth = Number(model, "vision_cfg", "head_width");
        if (headWidth is < 1 || visionWidth % (headWidth ?? 1) != 0)
        {
            throw new InputException($"{path}: model_cfg.vision_cfg.head_width is {headWidth}, expected a divisor of the vision tower's width {visionWidth}.");
        }

        return (visionWidth / headWidth, Number(model, "text_cfg", "heads"));
    });

    private static int? Number(JsonElement root, string section, string key) =>
        root.TryGetProperty(section, out var part) && part.TryGetProperty(key, out var value) ? value.GetInt32() : null;

    private static T ReadJson<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            if (new FileInfo(path).Length > MaxConfigBytes)
            {
                throw new InputException($"{path}: larger than 1 MiB; expected a CLIP's configuration.");
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            throw new InputException($"{path}: not a readable CLIP configuration ({error.Message})", error);
        }
    }

    private static int? Heads(JsonElement root, string section, string path)
    {
        if (!root.TryGetProperty(section, out var part))
        {
            return null;
        }

        if (part.TryGetProperty("hidden_act", out var activation) && activation.GetString() is { } name && name != "quick_gelu")
        {
            throw new InputException($"{path}: {section}.hidden_act is '{name}', expected 'quick_gelu'.");
        }

        return part.TryGetProperty("num_attention_heads", out var heads) ? heads.GetInt32() : null;
    }
}
