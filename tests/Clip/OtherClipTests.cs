using Ldvc.Clip;
using Ldvc.Comparison;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Clip;

/// <summary>
/// CLIPs that are not OpenAI's, against PyTorch (tools/make_random_clip.py and make_reference.py wrote tests/data/clips), and what is wrong with
/// some.
/// </summary>
public sealed class OtherClipTests
{
    private const string Large = "l14-336-small";
    private const string Huge = "h14-small";

    [Fact]
    public void SizesAndActivationsComeFromTheirConfigurations()
    {
        ClipConfig large = Sizes(Path_(Large)), huge = Sizes(Path_(Huge));
        Assert.Equal((24, 14, 336), (large.Grid, large.PatchSize, large.ImageSize));
        Assert.Equal((Activation.QuickGelu, Activation.Gelu, 1e-3f), (large.Vision.Activation, large.Text.Activation, large.Vision.NormEpsilon));
        Assert.Equal((Activation.Gelu, Activation.Gelu, 1e-5f), (huge.Vision.Activation, huge.Text.Activation, huge.Text.NormEpsilon));
        Assert.Equal(80, huge.Vision.Width / huge.Vision.Heads);
    }

    [Theory]
    [InlineData(Large)]
    [InlineData(Huge)]
    public void FeaturesAreThoseOfPyTorch(string name)
    {
        foreach (ComparisonRow row in Compare(Path_(name), name, null))
        {
            Assert.True(row.Within, $"{row.Name}: {row.MaxRelative}");
        }
    }

    // Each of the settings shows in the features: ignoring one would go unnoticed otherwise.
    [Theory]
    [InlineData(Large, "config.json", "\"layer_norm_eps\": 0.001", "\"layer_norm_eps\": 1e-5")]
    [InlineData(Large, "config.json", "\"gelu\"", "\"quick_gelu\"")]
    [InlineData(Large, "config.json", "\"quick_gelu\"", "\"gelu\"")]
    [InlineData(Huge, "open_clip_config.json", "\"embed_dim\"", "\"quick_gelu\": true, \"embed_dim\"")]
    [InlineData(Huge, "open_clip_config.json", "\"head_width\": 80", "\"head_width\": 40")]
    [InlineData(Huge, "open_clip_config.json", "\"heads\": 2", "\"heads\": 4")]
    [InlineData(Huge, "open_clip_config.json", "\"heads\": 2,", "")]
    [InlineData(Huge, "open_clip_config.json", "\"head_width\": 80", "\"norm_kwargs\": {\"eps\": 1e-3}, \"head_width\": 80")]
    public void OtherSettingsGiveOtherFeatures(string name, string file, string from, string to)
    {
        using var folder = new TempFolder();
        string changed = Copy(folder, name, file, text => text.Replace(from, to));
        Assert.Contains(Compare(changed, name, null), row => !row.Within);
    }

    [Theory]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 128", "text_config.hidden_size is 128, but the weights in ")]
    [InlineData("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", "text_config.num_hidden_layers is 2, but the weights in ")]
    [InlineData("\"intermediate_size\": 128", "\"intermediate_size\": 256", "intermediate_size is 256, but")]
    [InlineData("\"max_position_embeddings\": 12", "\"max_position_embeddings\": 77", "text_config.max_position_embeddings is 77, but")]
    [InlineData("\"vocab_size\": 300", "\"vocab_size\": 49408", "text_config.vocab_size is 49408, but")]
    [InlineData("\"projection_dim\": 32, \"logit", "\"projection_dim\": 64, \"logit", "projection_dim is 64, but")]
    [InlineData("\"image_size\": 336", "\"image_size\": 224", "vision_config.image_size is 224, but the weights in ")]
    [InlineData("\"patch_size\": 14", "\"patch_size\": 16", "vision_config.patch_size is 16, but")]
    [InlineData("\"patch_size\": 14", "\"num_channels\": 1, \"patch_size\": 14", "vision_config.num_channels is 1, but")]
    [InlineData("\"num_attention_heads\": 1", "\"num_attention_heads\": 3", "the text tower's width 64 does not divide into 3 heads")]
    [InlineData("\"model_type\": \"clip\"", "\"model_type\": \"siglip\"", "config.json: model_type is siglip, expected 'clip'.")]
    [InlineData("\"layer_norm_eps\": 0.001", "\"layer_norm_eps\": 0", "text_config.layer_norm_eps is 0, expected a positive number")]
    [InlineData("\"layer_norm_eps\": 0.001", "\"layer_norm_eps\": -1", "text_config.layer_norm_eps is -1, expected a positive number")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": \"64\"", "config.json: text_config.hidden_size is \"64\", expected a number.")]
    [InlineData("\"num_attention_heads\": 1", "\"num_attention_heads\": 1.5", "num_attention_heads is 1.5, expected a whole number.")]
    [InlineData("\"layer_norm_eps\": 0.001", "\"layer_norm_eps\": [1]", "text_config.layer_norm_eps is [1], expected a number.")]
    [InlineData("\"gelu\"", "7", "hidden_act is 7, expected text.")]
    [InlineData("\"model_type\": \"clip\"", "\"model_type\": \"clip\", \"text_config_dict\": 3", "text_config_dict is 3, expected an object.")]
    [InlineData("\"gelu\"", "\"gelu_pytorch_tanh\"", "hidden_act is gelu_pytorch_tanh, expected 'quick_gelu' or 'gelu'.")]
    public void WhatDisagreesWithTheWeightsIsNamed(string from, string to, string expected)
    {
        using var folder = new TempFolder();
        string path = Copy(folder, Large, "config.json", text => Once(OneLine(text), from, to));
        Assert.Contains(expected, Refuses(path));
    }

    [Theory]
    [InlineData("\"embed_dim\": 48", "\"embed_dim\": 64", "model_cfg.embed_dim is 64, but the weights in ")]
    [InlineData("\"layers\": 2", "\"layers\": 3", "model_cfg.vision_cfg.layers is 3, but")]
    [InlineData("\"width\": 128", "\"width\": 160", "model_cfg.text_cfg.width is 160, but")]
    [InlineData("\"image_size\": 56", "\"image_size\": 224", "model_cfg.vision_cfg.image_size is 224, but")]
    [InlineData("\"image_size\": 56", "\"image_size\": [28, 112]", "model_cfg.vision_cfg.image_size is [28, 112], expected one number, or the same")]
    [InlineData("\"image_size\": 56", "\"image_size\": [56]", "model_cfg.vision_cfg.image_size is [56], expected one number, or the same")]
    [InlineData("\"image_size\": 56", "\"image_size\": [224, 224]", "model_cfg.vision_cfg.image_size is 224, but")]
    [InlineData("\"image_size\": 56", "\"image_size\": \"56\"", "model_cfg.vision_cfg.image_size is \"56\", expected a number.")]
    [InlineData("\"patch_size\": 14", "\"patch_size\": [14, 7]", "model_cfg.vision_cfg.patch_size is [14, 7], expected one number, or the same")]
    [InlineData("\"mlp_ratio\": 2", "\"mlp_ratio\": 4", "model_cfg.vision_cfg.mlp_ratio is 4, but")]
    [InlineData("\"context_length\": 12", "\"context_length\": 77", "model_cfg.text_cfg.context_length is 77, but")]
    [InlineData("\"head_width\": 80", "\"no_ln_pre\": true, \"head_width\": 80", "model_cfg.vision_cfg.no_ln_pre is true, expected false.")]
    [InlineData("\"head_width\": 80", "\"timm_model_name\": \"vit\", \"head_width\": 80", "timm_model_name is vit, expected a CLIP without it.")]
    public void OpenClipsSizesAreComparedToo(string from, string to, string expected)
    {
        using var folder = new TempFolder();
        string path = Copy(folder, Huge, "open_clip_config.json", text => Once(OneLine(text), from, to));
        Assert.Contains(expected, Refuses(path));
    }

    // Sides as two numbers are open_clip's way to say what is square, too.
    [Fact]
    public void OpenClipsSidesMayStandTwice()
    {
        using var folder = new TempFolder();
        string path = Copy(
            folder, Huge, "open_clip_config.json",
            text => text.Replace("\"image_size\": 56", "\"image_size\": [56, 56]").Replace("\"patch_size\": 14", "\"patch_size\": [14, 14]"));
        Assert.All(Compare(path, Huge, null), row => Assert.True(row.Within, row.Name));
    }

    // Weights of either naming may lie beside either configuration.
    [Theory]
    [InlineData("\"projection_dim\": 48", "")]
    [InlineData("\"projection_dim\": 64", "config.json: projection_dim is 64, but the weights in ")]
    [InlineData("\"projection_dim\": 48, \"extra\": 1", "config.json: vision_config.num_hidden_layers is 3, but", "\"num_hidden_layers\": 3, ")]
    public void OpenAisNamesBesideHuggingFacesConfiguration(string root, string expected, string layers = "")
    {
        using var folder = new TempFolder();
        string path = Copy(folder, Huge, "open_clip_config.json", text => text);
        File.Delete(Path.Combine(path, "open_clip_config.json"));
        File.WriteAllText(Path.Combine(path, "config.json"), $$"""
            { "model_type": "clip", {{root}},
              "vision_config": { {{layers}}"hidden_size": 160, "num_attention_heads": 2, "hidden_act": "gelu", "image_size": 56, "patch_size": 14 },
              "text_config": { "hidden_size": 128, "num_attention_heads": 2, "hidden_act": "gelu", "max_position_embeddings": 12 } }
            """);
        if (expected.Length > 0)
        {
            Assert.Contains(expected, Refuses(path));
        }
        else
        {
            Assert.All(Compare(path, Huge, null), row => Assert.True(row.Within, row.Name));
        }
    }

    [Fact]
    public void HuggingFacesNamesBesideOpenClipsConfiguration()
    {
        using var folder = new TempFolder();
        string path = Copy(folder, Large, "config.json", text => text);
        File.Delete(Path.Combine(path, "config.json"));
        File.WriteAllText(Path.Combine(path, "open_clip_config.json"), """{"model_cfg": {"embed_dim": 64, "vision_cfg": {}, "text_cfg": {}}}""");
        Assert.Contains("open_clip_config.json: model_cfg.embed_dim is 64, but the weights in ", Refuses(path));
    }

    [Fact]
    public void WeightsAloneAreAskedFor()
    {
        using var folder = new TempFolder();
        string path = Copy(folder, Huge, "open_clip_config.json", text => text);
        File.Delete(Path.Combine(path, "open_clip_config.json"));
        Assert.Contains("nothing says whether this CLIP was trained with QuickGELU (OpenAI's) or GELU", Refuses(path));

        // Heads of 80 need the configuration; the width of 160 gives it away.
        using var device = new CpuDevice(1);
        Assert.Contains(
            "a tower of width 160 has no heads of 64",
            Assert.Throws<InputException>(() => ClipModel.Load(path, device, Activation.Gelu).Dispose()).Message);
    }

    [Theory]
    [InlineData("ViT-B-32-quickgelu.safetensors", Activation.QuickGelu)]
    [InlineData("vit_b_16-laion2b_s34b_b88k.safetensors", Activation.Gelu)]
    [InlineData("clip-DataComp.XL-s13B-b90K.safetensors", Activation.Gelu)]
    [InlineData("openai-or-laion2b.safetensors", Activation.None)]
    [InlineData("weights.safetensors", Activation.None)]
    public void NamesOfPretrainedModelsTell(string file, Activation expected)
    {
        using var folder = new TempFolder();
        string path = folder.File(file);
        EditedArchive.Load(TinyClip.Half).Save(path);
        if (expected == Activation.None)
        {
            Assert.Contains("--activation quick-gelu or gelu", Refuses(path));
            using var device = new CpuDevice(1);
            using var told = ClipModel.Load(path, device, Activation.Gelu);
            Assert.Equal(Activation.Gelu, told.Config.Text.Activation);
            return;
        }

        Assert.Equal(expected, Sizes(path).Vision.Activation);
    }

    [Fact]
    public void WhatTheFilesSayIsNotOverruled()
    {
        using var device = new CpuDevice(1);
        string config = Path.Combine(TinyClip.Folder, "config.json");
        Assert.Contains(
            $"said to be gelu, but {config} says quick-gelu",
            Assert.Throws<InputException>(() => ClipModel.Load(TinyClip.Folder, device, Activation.Gelu).Dispose()).Message);
        Assert.Contains(
            "said to be gelu, but the file itself says quick-gelu",
            Assert.Throws<InputException>(() => ClipModel.Load(TinyClip.Half, device, Activation.Gelu).Dispose()).Message);
    }

    [Theory]
    [InlineData(float.NaN, "holds NaN (value 6 of 16384), expected finite numbers")]
    [InlineData(float.NegativeInfinity, "holds -Infinity (value 6 of 16384)")]
    public void WeightsThatAreNoNumbersAreNamed(float value, string expected)
    {
        const string name = "text_model.encoder.layers.1.self_attn.k_proj.weight";
        using var folder = new TempFolder();
        string message = Refuses(TinyClip.Edited(folder, archive => archive.Floats[name].Values[5] = value));
        Assert.Contains($"tensor '{name}' {expected}", message);
    }

    [Theory]
    [InlineData("vision_model.encoder.layers.1.")]
    [InlineData("text_model.encoder.layers.1.")]
    public void AMissingLastLayerIsNamed(string prefix)
    {
        using var folder = new TempFolder();
        string message = Refuses(TinyClip.Edited(folder, archive => Remove(archive, prefix)));
        Assert.Contains("num_hidden_layers is 2, but the weights in", message);
        Assert.Contains("have 1; expected the configuration of these weights, whole", message);
    }

    // As data-parallel training, Lightning's modules and models around a CLIP write it, in either form of file.
    [Theory]
    [InlineData("module.")]
    [InlineData("model.")]
    [InlineData("student.model.clip.")]
    public void ACheckpointAroundAClipServes(string prefix)
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(1);
        using var plain = ClipCheckpoint.Find(TinyClip.Folder).Load(device, digest: true);
        string path = TinyClip.Edited(folder, archive =>
        {
            Rename(archive, prefix);
            archive.Floats["decoder.weight"] = ([1], [0.5f]);
        });
        using var inside = ClipCheckpoint.Find(path).Load(device, digest: true);
        Assert.Equal(plain.Digest, inside.Digest);
    }

    [Fact]
    public void TwoClipsInAFileAreAskedAbout()
    {
        using var folder = new TempFolder();
        string path = TinyClip.Edited(folder, archive =>
        {
            var ema = archive.Floats.ToDictionary(pair => "ema." + pair.Key, pair => pair.Value, StringComparer.Ordinal);
            Rename(archive, "model.");
            Assert.All(ema, pair => archive.Floats.Add(pair.Key, pair.Value));
        });
        Assert.Contains("expected one CLIP, found 2: their tensors begin with 'ema.' and 'model.'.", Refuses(path));
    }

    // Another network has the same tensors, and some more.
    [Theory]
    [InlineData("vision_model.encoder.layers.0.layer_scale1.gamma", true)]
    [InlineData("text_model.encoder.layers.1.mlp.adapter.weight", true)]
    [InlineData("vision_model.head.probe", true)]
    [InlineData("visual_projection.lora_A", true)]
    [InlineData("text_projection.bias", true)]
    [InlineData("token_embedding.lora_A", true)]
    [InlineData("positional_embedding_res", true)]
    [InlineData("text_model.embeddings.position_ids", false)]
    [InlineData("logit_bias", false)]
    public void TensorsThatNoClipHasAreNamed(string name, bool refused)
    {
        using var folder = new TempFolder();
        string path = TinyClip.Edited(folder, archive => archive.Floats[name] = ([2], [1, 1]));
        if (refused)
        {
            Assert.Contains($"tensor '{name}' is none of a CLIP's, so that its features are not those that a CLIP would compute", Refuses(path));
            return;
        }

        Assert.Equal(TinyClip.Config.Vision.Layers, Sizes(path).Vision.Layers);
    }

    [Fact]
    public void AFolderThatLeadsBackToItselfIsNoClip()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("snapshots"));
        Directory.CreateSymbolicLink(folder.File("snapshots/x"), "..");
        Assert.StartsWith($"{folder.Root}: no CLIP weights in this folder; expected one of model.safetensors", Refuses(folder.Root));
    }

    // Without a configuration a layer in the middle, or a part of the last one, still gives it away.
    [Theory]
    [InlineData("transformer.resblocks.0.", "tensor 'transformer.resblocks.0.mlp.c_fc.weight' is missing")]
    [InlineData("visual.transformer.resblocks.1.mlp.c_fc.weight", "whole: there is 'visual.transformer.resblocks.1.")]
    public void AHoleInATowerIsNamed(string prefix, string expected)
    {
        using var folder = new TempFolder();
        var archive = EditedArchive.Load(TinyClip.Half);
        Remove(archive, prefix);
        Assert.Contains(expected, Refuses(archive.Save(folder.File("openai.safetensors"))));
    }

    [Fact]
    public void AConvertedClipKeepsWhatItIs()
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(2);
        foreach (string name in (string[])[Large, Huge])
        {
            using var model = ClipCheckpoint.Find(Path_(name)).Load(device, digest: true);
            ClipWriter.Save(model, folder.File(name), DType.Float32, PreprocessorConfig.Default(model.Config.ImageSize), null);
            using var again = ClipCheckpoint.Find(folder.File(name)).Load(device, digest: true);
            Assert.Equal(model.Config, again.Config);
            Assert.Equal(model.Digest, again.Digest);
        }
    }

    private static void Rename(EditedArchive archive, string prefix)
    {
        foreach (var (name, value) in archive.Floats.ToArray())
        {
            archive.Floats.Remove(name);
            archive.Floats.Add(prefix + name, value);
        }
    }

    private static void Remove(EditedArchive archive, string prefix)
    {
        string[] names = [.. archive.Floats.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
        Assert.NotEmpty(names);
        Assert.All(names, name => archive.Floats.Remove(name));
    }

    private static string Path_(string name) => TestFiles.Data("clips", name);

    private static string OneLine(string json) => string.Join(' ', json.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Once(string text, string from, string to)
    {
        int at = text.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0, $"no {from} in {text}");
        return text[..at] + to + text[(at + from.Length)..];
    }

    private static string Copy(TempFolder folder, string name, string file, Func<string, string> edit)
    {
        string target = Directory.CreateDirectory(folder.File("copy")).FullName;
        foreach (string source in Directory.GetFiles(Path_(name)))
        {
            File.Copy(source, Path.Combine(target, Path.GetFileName(source)));
        }

        string config = Path.Combine(target, file), text = File.ReadAllText(config);
        File.WriteAllText(config, edit(text));
        return target;
    }

    private static IReadOnlyList<ComparisonRow> Compare(string clip, string name, Activation? activation)
    {
        using var device = new CpuDevice(2);
        return ReferenceComparison.Run(
            clip,
            TestFiles.Data("clips", name + ".safetensors"),
            ComparisonTolerance.For(Precision.Fp32),
            device,
            activation,
            TestContext.Current.CancellationToken);
    }

    private static ClipConfig Sizes(string path)
    {
        using var device = new CpuDevice(1);
        using var model = ClipModel.Load(path, device);
        return model.Config;
    }

    private static string Refuses(string path)
    {
        using var device = new CpuDevice(2);
        string message = Assert.Throws<InputException>(() => ClipModel.Load(path, device).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
