using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using ClipConfig = Ldvc.Clip.ClipConfig;

namespace Ldvc.Comparison;

/// <summary>
/// The model's configuration out of an LDVC reference file. What the shapes of the parameters tell (layers, prompts, width of the FFN) is taken from
/// them, the rest from the options in the header; both must agree. Options of other names are notes and change nothing.
/// </summary>
internal sealed partial class LdvcReferenceOptions
{
    private const int MaxLayers = 64;
    private const int MaxPrompts = 4096;
    private readonly ReferenceFile _file;
    private readonly JsonElement _root;

    private LdvcReferenceOptions(ReferenceFile file, JsonElement root) => (_file, _root) = (file, root);

    /// <summary>Reads and checks the options.</summary>
    /// <exception cref="InputException">They are missing, of the wrong type, or disagree with the file's parameters.</exception>
    internal static ModelConfig Read(ReferenceFile file, ClipConfig clip)
    {
        if (!file.Metadata.TryGetValue("options", out string? text))
        {
            throw new InputException($"{file.Path}: metadata key 'options' is missing; expected the JSON options of an LDVC reference.");
        }

        try
        {
            using JsonDocument document = JsonInput.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new LdvcReferenceOptions(file, document.RootElement).Build(clip)
                : throw new InputException($"{file.Path}: metadata key 'options' is a JSON {document.RootElement.ValueKind}, expected an object.");
        }
        catch (JsonException error)
        {
            throw new InputException($"{file.Path}: metadata key 'options' is not JSON ({JsonInput.Reason(error)}).", error);
        }
    }

    private ModelConfig Build(ClipConfig clip)
    {
        CheckGrid(clip);
        return new ModelConfig
        {
            ClsTwice = Flag("cls_twice"),
            Head = Choice("head", ("attention", MaskHead.Attention), ("dot", MaskHead.Dot)),
            Prompts = new PromptConfig
            {
                Vision = Prompts("vision_prompts", "param.visual.prompt.shallow", 0, 2),
                Text = Prompts("text_prompts", "param.text.prompt", 1, 3),
                Dropout = 0,
            },
            Decoder = new DecoderConfig
            {
                Kind = Choice("decoder", ("vision-query", DecoderKind.VisionQuery), ("class-query", DecoderKind.ClassQuery)),
                Attention = Choice("attention", ("route", SelfAttention.Route), ("full", SelfAttention.Full), ("none", SelfAttention.None)),
                Layers = Layers(),
                FfnRatio = FfnRatio(clip.Embedding),
                Heads = Heads(clip.Embedding),
                Windows = Number("S", new DecoderConfig().Windows, 1, 256),
                Topk = Number("topk", new DecoderConfig().Topk, 1, 65536),
                Dropout = 0,
            },
        };
    }

    private int Heads(int width)
    {
        int heads = Number("heads", new DecoderConfig().Heads, 1, 256);
        return width % heads == 0
            ? heads
            : throw Bad("heads", $"a divisor of this CLIP's joint width {width}", heads.ToString(CultureInfo.InvariantCulture));
    }

    private int Layers()
    {
        int[] found = [.. _file.Entries.Keys.Select(k => LayerIndex().Match(k)).Where(m => m.Success)
            .Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct()];
        if (found.Length == 0 && _root.TryGetProperty("kind", out var kind))
        {
            throw Bad("kind", $"\"{TrainingFreeComparison.Kind}\", or none for a training step of LDVC", kind.GetRawText());
        }

        if (found.Length == 0 || found.Length > MaxLayers || found.Max() != found.Length - 1)
        {
            throw new InputException(
                $"{_file.Path}: found {found.Length} different numbers i in tensors 'param.decoder.layers.i', expected 0, 1, 2 and so on, at most "
                    + $"{MaxLayers}.");
        }

        return Agrees("layers", found.Length);
    }

    private int FfnRatio(int width)
    {
        const string Name = "param.decoder.layers.0.ffn.fc1.weight";
        var shape = _file.ShapeOf(Name, 2);
        return shape[1] == width && shape[0] % width == 0 && shape[0] / width <= 64
            ? shape[0] / width
            : throw new InputException(
                $"{_file.Path}: tensor '{Name}' has shape {shape}, expected [n * {width}, {width}] for this CLIP's joint width {width}.");
    }

    /// <summary>The number of prompts: a dimension of their tensor, none without it.</summary>
    private int Prompts(string option, string tensor, int dimension, int rank)
    {
        int count = _file.Has(tensor) ? _file.ShapeOf(tensor, rank)[dimension] : 0;
        return count <= MaxPrompts
            ? Agrees(option, count)
            : throw new InputException($"{_file.Path}: tensor '{tensor}' holds {count} prompts, expected at most {MaxPrompts}.");
    }

    private int Agrees(string option, int fromTensors)
    {
        int told = Number(option, fromTensors, 0, int.MaxValue);
        return told == fromTensors ? told : throw Bad(option, $"{fromTensors} as in the file's tensors", told.ToString(CultureInfo.InvariantCulture));
    }

    // The grid follows from the picture; a file that says otherwise was made for another patch size.
    private void CheckGrid(ClipConfig clip)
    {
        if (!_root.TryGetProperty("grid", out var grid))
        {
            return;
        }

        var image = _file.ShapeOf("image", 4);
        int rows = image[2] / clip.PatchSize, columns = image[3] / clip.PatchSize;
        bool same = grid.ValueKind == JsonValueKind.Array && grid.GetArrayLength() == 2
            && grid.EnumerateArray().Select(
                n => n.ValueKind == JsonValueKind.Number && n.TryGetInt32(out int i) ? i : -1).SequenceEqual([rows, columns]);
        if (!same)
        {
            throw Bad("grid", $"[{rows}, {columns}] for 'image' and this CLIP's patch of {clip.PatchSize}", grid.GetRawText());
        }
    }

    private int Number(string name, int otherwise, int smallest, int largest)
    {
        if (!_root.TryGetProperty(name, out var value))
        {
            return otherwise;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= smallest && number <= largest
            ? number
            : throw Bad(
                name,
                largest == int.MaxValue ? $"a whole number of at least {smallest}" : $"a whole number from {smallest} to {largest}",
                value.GetRawText());
    }

    private bool Flag(string name)
    {
        if (!_root.TryGetProperty(name, out var value))
        {
            return false;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Bad(name, "true or false", value.GetRawText());
    }

    /// <summary>One of several words; the first when the option is absent.</summary>
    private T Choice<T>(string name, params (string Word, T Value)[] choices)
    {
        if (!_root.TryGetProperty(name, out var value))
        {
            return choices[0].Value;
        }

        foreach (var (word, result) in choices)
        {
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(word))
            {
                return result;
            }
        }

        throw Bad(name, string.Join(", ", choices.Select(c => $"\"{c.Word}\"")), value.GetRawText());
    }

    private InputException Bad(string name, string expected, string found)
    {
        string shown = found.Length > 60 ? found[..60] + "..." : found;
        return new($"{_file.Path}: option '{name}' is {shown}, expected {expected}.");
    }

    [GeneratedRegex(@"^param\.decoder\.layers\.([0-9]{1,3})\.")]
    private static partial Regex LayerIndex();
}
