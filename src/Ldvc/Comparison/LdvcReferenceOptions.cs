using System.Text.Json;
using System.Text.RegularExpressions;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>Reads the model's configuration out of an LDVC reference file: its options, and the shapes of its parameters.</summary>
internal static partial class LdvcReferenceOptions
{
    internal static ModelConfig Read(ReferenceFile file)
    {
        try
        {
            using var document = JsonDocument.Parse(file.Metadata["options"]);
            var root = document.RootElement;
            int Number(string name, int otherwise) => root.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;
            string Text(string name, string otherwise) => root.TryGetProperty(name, out var value) ? value.GetString() ?? otherwise : otherwise;

            var defaults = new DecoderConfig();
            int layers = 1 + file.Entries.Keys.Select(k => LayerIndex().Match(k)).Where(m => m.Success).Max(m => int.Parse(m.Groups[1].Value));
            var fc1 = file.ShapeOf("param.decoder.layers.0.ffn.fc1.weight", 2);
            return new ModelConfig
            {
                ClsTwice = root.TryGetProperty("cls_twice", out var twice) && twice.GetBoolean(),
                Head = Text("head", "attention") switch { "attention" => MaskHead.Attention, "dot" => MaskHead.Dot, var other => throw Unknown(file, "head", other) },
                Prompts = new PromptConfig { Vision = Number("vision_prompts", 10), Text = Number("text_prompts", 4), Dropout = 0 },
                Decoder = new DecoderConfig
                {
                    Kind = Text("decoder", "vision-query") switch
                    {
                        "vision-query" => DecoderKind.VisionQuery,
                        "class-query" => DecoderKind.ClassQuery,
                        var other => throw Unknown(file, "decoder", other),
                    },
                    Attention = Text("attention", "route") switch
                    {
                        "route" => SelfAttention.Route,
                        "full" => SelfAttention.Full,
                        "none" => SelfAttention.None,
                        var other => throw Unknown(file, "attention", other),
                    },
                    Layers = layers,
                    Heads = Number("heads", defaults.Heads),
                    FfnRatio = Math.Max(1, fc1[0] / fc1[1]),
                    Dropout = 0,
                    Windows = Number("S", defaults.Windows),
                    Topk = Number("topk", defaults.Topk),
                },
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new InputException($"{file.Path}: metadata key 'options' does not describe an LDVC reference ({error.Message})", error);
        }
    }

    private static InputException Unknown(ReferenceFile file, string key, string value) => new($"{file.Path}: option '{key}' is '{value}', which is none that ldvc compare knows");

    [GeneratedRegex(@"^param\.decoder\.layers\.([0-9]{1,3})\.")]
    private static partial Regex LayerIndex();
}
