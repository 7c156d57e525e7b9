using System.Text.Json;
using Ldvc.Clip;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Comparison;

/// <summary>Values that PyTorch computed: OpenAI's CLIP code, and training steps of every variant of the method in float64.</summary>
public sealed class GoldenTests
{
    public static readonly TheoryData<string> Files =
        ["clip-tiny", "ldvc-route", "ldvc-route-partial-windows", "ldvc-full-attention", "ldvc-no-self-attention", "ldvc-zegclip", "ldvc-dot-head",
            "training-free"];

    private static readonly string Clip = TinyClip.Folder;

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryTensorIsReproduced(string name)
    {
        using var folder = new TempFolder();
        (int code, string output, string error) = Compare(Clip, Golden(name), "--json", folder.File("rows.json"));
        Assert.Equal((0, ""), (code, error));
        Assert.DoesNotContain("BEYOND", output);
        Assert.DoesNotContain('\u001b', output);

        // Every output of the file has a row in the file and a line in the table: nothing is passed over.
        JsonElement result = JsonDocument.Parse(File.ReadAllText(folder.File("rows.json"))).RootElement;
        string[] rows = [.. result.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("name").GetString()!)];
        using var archive = TensorArchive.Open(Golden(name));
        string[] outputs = [.. archive.Entries.Keys.Where(
            k => k is not ("image" or "ids" or "labels" or "rect.image") && !k.StartsWith("param.", StringComparison.Ordinal))];
        Assert.Equal(outputs.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
        Assert.True(result.GetProperty("within").GetBoolean());
        Assert.All(rows, row => Assert.Contains($"\n{row} ", output));
        Assert.Contains($"{rows.Length} of {rows.Length} tensors are within their bounds", output);
        Assert.All(result.GetProperty("rows").EnumerateArray(), row =>
            Assert.Equal(
                row.GetProperty("name").GetString()!.StartsWith("grad.", StringComparison.Ordinal) ? 2e-4 : 2e-5,
                row.GetProperty("bound").GetDouble(),
                1e-12));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void TheHalfPrecisionArchiveIsWithinItsRounding(string name)
    {
        // With 7 x 10 patches the rounded weights push some ReLU across zero: two gradients jump by 4 % of their largest value.
        string tolerance = name == "ldvc-route-partial-windows" ? "5e-3" : "2e-3";
        Assert.Equal(0, Compare(TinyClip.Half, Golden(name), "--tolerance", tolerance).Code);
        Assert.Equal(1, Compare(TinyClip.Half, Golden(name)).Code);
    }

    [Theory]
    [InlineData("clip-tiny", "vision_model.encoder.layers.1.mlp.fc2.weight")]
    [InlineData("clip-tiny", "vision_model.embeddings.position_embedding.weight")]
    [InlineData("clip-tiny", "text_model.encoder.layers.0.self_attn.v_proj.bias")]
    [InlineData("clip-tiny", "logit_scale")]
    [InlineData("ldvc-route", "vision_model.post_layernorm.bias")]
    [InlineData("ldvc-route", "text_model.encoder.layers.1.self_attn.q_proj.weight")]
    public void AWrongWeightOfTheClipIsBeyond(string file, string tensor)
    {
        using var folder = new TempFolder();
        string clip = TinyClip.Edited(folder, archive =>
        {
            float[] values = archive.Floats[tensor].Values;
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (values[i] * 1.01f) + 0.001f;
            }
        });
        IsBeyond(Compare(clip, Golden(file)));
    }

    [Fact]
    public void ExchangedWeightsOfTheClipAreBeyond()
    {
        using var folder = new TempFolder();
        IsBeyond(Compare(
            TinyClip.Edited(
                folder, a => a.Swap("text_model.encoder.layers.0.self_attn.q_proj.weight", "text_model.encoder.layers.0.self_attn.k_proj.weight")),
            Golden("clip-tiny")));
    }

    [Theory]
    [InlineData("adapter.weight")]
    [InlineData("text.prompt")]
    [InlineData("visual.prompt.deep")]
    [InlineData("visual.prompt.norm.bias")]
    [InlineData("decoder.layers.0.self.q.weight")]
    [InlineData("decoder.layers.1.norm3.weight")]
    [InlineData("decoder.layers.2.cross.k.bias")]
    public void AWrongParameterIsBeyond(string name) => IsBeyond(CompareEdited("ldvc-route", archive =>
    {
        float[] values = archive.Floats["param." + name].Values;
        values[values.Length / 2] += 0.01f;
    }));

    [Fact]
    public void ExchangedParametersAreBeyond()
    {
        IsBeyond(CompareEdited("ldvc-route", a => a.Swap("param.decoder.layers.0.self.k.weight", "param.decoder.layers.0.self.v.weight")));
        IsBeyond(CompareEdited("ldvc-zegclip", a => a.Swap("param.decoder.layers.0.cross.q.weight", "param.decoder.layers.0.cross.k.weight")));
    }

    [Fact]
    public void AWrongExpectationIsBeyondAndNamed()
    {
        (int code, string output, _) = CompareEdited("ldvc-route", a => a.Floats["grad.text.prompt"].Values[7] *= 1.5f);
        Assert.Equal(1, code);
        Assert.Matches(@"\ngrad\.text\.prompt +\S+ +\S+ +2\.00e-04 BEYOND", output);
        Assert.Contains("91 of 92 tensors are within their bounds; the worst is grad.text.prompt", output);

        IsBeyond(CompareEdited("ldvc-route", a => a.Floats["mask_logits"].Values[0] = float.NaN));
        foreach (float value in (float[])[float.NaN, float.PositiveInfinity])
        {
            (code, output, _) = CompareEdited("ldvc-route", a => a.Floats["grad.adapter.bias"].Values[0] = value);
            Assert.Equal(1, code);
            Assert.Contains("91 of 92 tensors are within their bounds; the worst is grad.adapter.bias", output);
        }

        IsBeyond(Compare(Clip, Golden("clip-tiny"), "--tolerance", "0"));
    }

    [Theory]
    [InlineData("image", false)]
    [InlineData("ids", false)]
    [InlineData("labels", false)]
    [InlineData("S", true)]
    [InlineData("topk", true)]
    [InlineData("attention", true)]
    [InlineData("cls_twice", true)]
    public void OtherInputsAndOptionsAreBeyond(string name, bool option)
    {
        if (option)
        {
            string changed = name switch
            {
                "S" => "\"S\": 2",
                "topk" => "\"topk\": 2",
                "attention" => "\"attention\": \"full\"",
                _ => "\"cls_twice\": true"
            };
            IsBeyond(CompareEdited("ldvc-route", a => a.Metadata["options"] = "{" + changed + "," + a.Metadata["options"]
                .Replace(name == "S" ? "\"S\": 3," : "\"topk\": 4,", name is "S" or "topk" ? "" : "\"topk\": 4,", StringComparison.Ordinal)[1..]));
            return;
        }

        IsBeyond(CompareEdited("ldvc-route", a =>
        {
            if (name == "image")
            {
                a.Floats[name].Values[5000] += 1;
            }
            else
            {
                // One wrong id; one wrong row of pixels (a single one of 9216 disappears in the loss).
                Span<int> values = a.Integers[name].Values.AsSpan(name == "ids" ? 5 : 40 * 96, name == "ids" ? 1 : 96);
                foreach (ref int value in values)
                {
                    value = (value + 1) % 5;
                }
            }
        }));
    }

    internal static string Golden(string name) => TestFiles.Data("golden", name + ".safetensors");

    internal static (int Code, string Out, string Error) Compare(string clip, string reference, params string[] more) =>
        CommandLine.Run(["compare", "--clip", clip, "--reference", reference, "--threads", "1", .. more]);

    internal static (int Code, string Out, string Error) CompareEdited(string name, Action<EditedArchive> edit)
    {
        using var folder = new TempFolder();
        var archive = EditedArchive.Load(Golden(name));
        edit(archive);
        return Compare(Clip, archive.Save(folder.File("edited.safetensors")));
    }

    private static void IsBeyond((int Code, string Out, string Error) result)
    {
        Assert.Equal((1, ""), (result.Code, result.Error));
        Assert.Contains("BEYOND the tolerance of", result.Out);
        Assert.DoesNotContain("Infinity times", result.Out);
    }
}
