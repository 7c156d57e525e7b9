using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Kernels;
using Ldvc.Tensors;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Clip;

public sealed class ClipCheckpointTests
{
    [Fact]
    public void EveryFormGivesTheSameModel()
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(1);
        using var expected = TinyClip.Load(device);
        Assert.Equal(TinyClip.Config, expected.Config);
        string openAi = OpenAi(folder, _ => { });
        foreach (string path in (string[])[Path.Combine(TinyClip.Folder, "model.safetensors"), TinyClip.Half, openAi])
        {
            using var model = ClipCheckpoint.Find(path).Load(device);
            Assert.Equal(TinyClip.Config, model.Config);
            foreach (var ((name, one), (_, other)) in expected.Parameters().Zip(model.Parameters()))
            {
                Assert.False(other.Trainable);
                float[] a = one.Value.ToArray(), b = other.Value.ToArray();
                for (int i = 0; i < a.Length; i++)
                {
                    Assert.True(Math.Abs(a[i] - b[i]) <= (Math.Abs(a[i]) / 1024) + 1e-6, $"{path}: {name}[{i}] is {b[i]}, expected {a[i]}");
                }
            }
        }
    }

    // timm's folders have the vision tower alone, with other names, in the file that Hugging Face's have the whole CLIP in.
    [Fact]
    public void AFolderIsReadFromTheFileThatHoldsAClip()
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(2);
        File.Move(OpenAi(folder, _ => { }), folder.File("open_clip_model.safetensors"));
        File.WriteAllText(folder.File("open_clip_config.json"), """{ "model_cfg": { "quick_gelu": true } }""");
        File.WriteAllText(folder.File("config.json"), """{ "architecture": "vit_base_patch16_clip_224", "num_classes": 64 }""");
        File.WriteAllBytes(
            folder.File("model.safetensors"), TestFiles.Safetensors("""{"norm_pre.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8));
        using ClipModel clip = ClipCheckpoint.Find(folder.Root).Load(device);
        Assert.Equal(64, clip.Config.Embedding);

        // Without any, the first one is what is complained of.
        File.Delete(folder.File("open_clip_model.safetensors"));
        File.WriteAllText(folder.File("pytorch_model.bin"), "no archive");
        Assert.Contains("model.safetensors: tensor", Assert.Throws<InputException>(() => ClipCheckpoint.Find(folder.Root).Load(device)).Message);
    }

    [Theory]
    [InlineData(ClipTowers.Text, "vision_model.post_layernorm.weight", "vision tower")]
    [InlineData(ClipTowers.Vision, "text_model.final_layer_norm.weight", "text tower")]
    public void OneTowerIsReadWithoutTheOther(object towers, string unread, string said)
    {
        using var folder = new TempFolder();
        using var device = new CpuDevice(2);
        using ClipModel whole = TinyClip.Load(device);

        // A NaN where nobody reads is not met; a missing tensor is still another kind of file.
        string path = TinyClip.Edited(folder, archive => archive.Floats[unread].Values[3] = float.NaN);
        Assert.Contains($"tensor '{unread}' holds NaN", Assert.Throws<InputException>(() => ClipCheckpoint.Find(path).Load(device)).Message);
        using ClipModel half = ClipCheckpoint.Find(path).Load(device, towers: (ClipTowers)towers);
        using var tape = new Tape(device, recording: false);
        TokenBatch texts = TokenBatch.Create(TinyClip.Ids("a cat"), 1);
        using Tensor picture = device.FromHost([.. Enumerable.Range(0, 3 * 96 * 96).Select(i => MathF.Sin(i))], new Shape(1, 3, 96, 96));
        Func<ClipModel, float[]>[] encoders =
            [clip => clip.Text.Encode(tape, texts).Value.ToArray(), clip => clip.Visual.Encode(tape, picture).Value.ToArray()];
        if ((ClipTowers)towers == ClipTowers.Vision)
        {
            Array.Reverse(encoders);
        }

        Assert.Equal(encoders[0](whole), encoders[0](half));
        Assert.Contains(said, Assert.Throws<InvalidOperationException>(() => encoders[1](half)).Message);
        using var another = new TempFolder();
        string cut = TinyClip.Edited(another, archive => archive.Floats.Remove(unread));
        Assert.Contains(unread, Assert.Throws<InputException>(() => ClipCheckpoint.Find(cut).Load(device, towers: (ClipTowers)towers)).Message);
    }

    [Fact]
    public void HeadsComeFromTheConfigurationElseAre64Wide()
    {
        using var folder = new TempFolder();
        string path = TinyClip.Edited(folder, _ => { });
        string config = Path.Combine(path, "config.json");
        File.WriteAllText(config, """{ "vision_config": { "num_attention_heads": 4 }, "text_config": {} }""");
        var heads = Sizes(path);
        Assert.Equal((4, 2), (heads.Vision.Heads, heads.Text.Heads));
        File.Delete(config);
        heads = Sizes(path, Activation.QuickGelu);
        Assert.Equal((2, 2), (heads.Vision.Heads, heads.Text.Heads));
    }

    [Theory]
    [InlineData("{", "config.json: not a readable CLIP configuration")]
    [InlineData("[]", "config.json: not a readable CLIP configuration")]
    [InlineData("{\"vision_config\": 3}", "config.json: vision_config is 3, expected an object.")]
    [InlineData(
        "{\"vision_config\": {\"num_attention_heads\": \"two\"}}", "vision_config.num_attention_heads is \"two\", expected a whole number.")]
    [InlineData("{\"vision_config\": {\"num_attention_heads\": 2.5}}", "vision_config.num_attention_heads is 2.5, expected a whole number.")]
    [InlineData("{\"vision_config\": {\"hidden_act\": \"gelu_new\"}}", "config.json: vision_config.hidden_act is gelu_new, expected 'quick_gelu' or "
        + "'gelu'.")]
    [InlineData("{\"text_config\": {\"hidden_act\": \"relu\"}}", "text_config.hidden_act is relu")]
    [InlineData("{\"text_config\": {\"num_attention_heads\": 3}}", "the text tower's width 128 does not divide into 3 heads")]
    [InlineData("{\"vision_config\": {\"num_attention_heads\": 0}}", "the vision tower's width 128 does not divide into 0 heads")]
    public void BadConfigurationsAreNamed(string json, string expected)
    {
        using var folder = new TempFolder();
        string path = TinyClip.Edited(folder, _ => { });
        File.WriteAllText(Path.Combine(path, "config.json"), json);
        Assert.Contains(expected, Refuses(path));
    }

    [Theory]
    [InlineData("vision_model.embeddings.patch_embedding.weight")]
    [InlineData("vision_model.embeddings.class_embedding")]
    [InlineData("vision_model.encoder.layers.0.mlp.fc1.weight")]
    [InlineData("vision_model.encoder.layers.1.self_attn.k_proj.bias")]
    [InlineData("text_model.embeddings.position_embedding.weight")]
    [InlineData("text_model.final_layer_norm.bias")]
    [InlineData("text_projection.weight")]
    [InlineData("logit_scale")]
    public void MissingTensorsAreNamed(string name)
    {
        using var folder = new TempFolder();
        Assert.Contains(
            $"tensor '{name}' is missing; expected a CLIP vision transformer checkpoint",
            Refuses(TinyClip.Edited(folder, a => a.Floats.Remove(name))));
    }

    [Theory]
    [InlineData("visual.conv1.weight")]
    [InlineData("visual.proj")]
    [InlineData("token_embedding.weight")]
    [InlineData("transformer.resblocks.1.attn.in_proj_weight")]
    public void MissingTensorsOfOpenAisNamesAreNamed(string name)
    {
        using var folder = new TempFolder();
        Assert.Contains($"tensor '{name}' is missing", Refuses(OpenAi(folder, a => a.Floats.Remove(name))));
    }

    [Theory]
    [InlineData("vision_model.embeddings.class_embedding", new long[] { 64 }, "should have shape [128], found [64]")]
    [InlineData("vision_model.embeddings.position_embedding.weight", new long[] { 36, 128 },
        "36 position embeddings are not one class token and a square grid")]
    [InlineData("vision_model.embeddings.position_embedding.weight", new long[] { 1, 128 }, "1 position embeddings are not")]
    [InlineData("vision_model.embeddings.patch_embedding.weight", new long[] { 128, 3, 16, 8 },
        "should have shape [128, 3, 8, 8], found [128, 3, 16, 8]")]
    [InlineData("vision_model.embeddings.patch_embedding.weight", new long[] { 128, 768 }, "should have 4 dimensions of 1 to 16777216")]
    [InlineData("vision_model.embeddings.patch_embedding.weight", new long[] { 128, 1, 1, 768 },
        "should have shape [128, 3, 768, 768], found [128, 1, 1, 768]")]
    [InlineData("vision_model.encoder.layers.1.self_attn.q_proj.weight", new long[] { 128, 64 }, "should have shape [128, 128], found [128, 64]")]
    [InlineData("visual_projection.weight", new long[] { 32, 128 }, "should have shape [64, 128], found [32, 128]")]
    [InlineData("text_model.embeddings.token_embedding.weight", new long[] { 0, 128 }, "2 dimensions of 1 to 16777216, found shape [0, 128]")]
    [InlineData("text_model.encoder.layers.0.mlp.fc1.weight", new long[] { 600000, 1 }, "expected at most 32768 and 524288")]
    [InlineData("logit_scale", new long[] { 2 }, "tensor 'logit_scale' should have shape [1], found [2]")]
    public void WrongShapesAreNamed(string name, long[] shape, string expected)
    {
        using var folder = new TempFolder();
        Assert.Contains(expected, Refuses(TinyClip.Edited(folder, a => a.Resize(name, shape))));
    }

    [Fact]
    public void IntegersAreNoWeights()
    {
        using var folder = new TempFolder();
        Assert.Contains("tensor 'visual_projection.weight' holds Int64, expected floating-point numbers", Refuses(TinyClip.Edited(folder, a =>
        {
            a.Floats.Remove("visual_projection.weight");
            a.Integers.Add("visual_projection.weight", ([64, 128], new int[64 * 128]));
        })));
    }

    [Fact]
    public void ResNetsAndOtherFilesAreRefused()
    {
        using var folder = new TempFolder();
        Assert.Contains(
            "this is a CLIP with a ResNet image tower", Refuses(OpenAi(folder, a => a.Floats.Add("visual.layer1.0.conv1.weight", ([1], [0f])))));
        Assert.Contains("no such file or folder", Refuses(folder.File("none")));
        Directory.CreateDirectory(folder.File("empty"));
        Assert.Contains("no CLIP weights in this folder; expected one of model.safetensors", Refuses(folder.File("empty")));
        Assert.Contains("tensor 'visual.conv1.weight' is missing", Refuses(TestFiles.Data("golden", "ldvc-route.safetensors")));
        File.WriteAllText(folder.File("note.pt"), "no tensors");
        Assert.StartsWith(folder.File("note.pt"), Refuses(folder.File("note.pt")));
    }

    [Theory]
    [InlineData("""{ "model_cfg": { "quick_gelu": true } }""", null)]
    [InlineData("""{ "model_cfg": { "quick_gelu": true, "vision_cfg": { "head_width": 64 }, "text_cfg": { "heads": 2 } } }""", null)]
    [InlineData("""{ "model_cfg": { "quick_gelu": true, "vision_cfg": { "head_width": 48 } } }""", "open_clip_config.json: model_cfg.vision_cfg.head_width is 48, expected a divisor of the vision tower's width 128.")]
    [InlineData("""{ "model_cfg": { "quick_gelu": true, "vision_cfg": { "head_width": 0 } } }""", "head_width is 0, expected a divisor")]
    [InlineData("""{ "model_cfg": { "quick_gelu": true, "text_cfg": { "heads": 3 } } }""", "the text tower's width 128 does not divide into 3 heads")]
    [InlineData("""{ "model_cfg": { "quick_gelu": "yes" } }""", "open_clip_config.json: model_cfg.quick_gelu is yes, expected true or false.")]
    [InlineData("""{ "embed_dim": 64 }""", "open_clip_config.json: has no model_cfg")]
    [InlineData("""[]""", "open_clip_config.json: not a readable CLIP configuration")]
    public void OpenClipSaysWhichGelu(string json, string? expected)
    {
        using var folder = new TempFolder();
        File.Move(OpenAi(folder, _ => { }), folder.File("open_clip_model.safetensors"));
        File.WriteAllText(folder.File("open_clip_config.json"), json);
        if (expected is null)
        {
            Assert.Equal(TinyClip.Config, Sizes(folder.Root));
        }
        else
        {
            Assert.Contains(expected, Refuses(folder.Root));
        }
    }

    // No tensor's shape says how wide a head is.
    [Fact]
    public void OpenClipSaysHowManyHeadsThereAre()
    {
        using var folder = new TempFolder();
        File.Move(OpenAi(folder, _ => { }), folder.File("open_clip_model.safetensors"));
        File.WriteAllText(folder.File("open_clip_config.json"), """{ "model_cfg": { "quick_gelu": true, "vision_cfg": { "head_width": 32 }, "text_cfg": { "heads": 8 } } }""");
        ClipConfig sizes = Sizes(folder.Root);
        Assert.Equal((4, 8), (sizes.Vision.Heads, sizes.Text.Heads));
    }

    /// <summary>The tiny CLIP as safetensors with OpenAI's names, as open_clip stores it.</summary>
    private static string OpenAi(TempFolder folder, Action<EditedArchive> edit)
    {
        var archive = EditedArchive.Load(TinyClip.Half);
        edit(archive);
        return archive.Save(folder.File("openai.safetensors"));
    }

    private static ClipConfig Sizes(string path, Activation? activation = null)
    {
        using var device = new CpuDevice(1);
        using var model = ClipCheckpoint.Find(path).Load(device, activation);
        return model.Config;
    }

    private static string Refuses(string path)
    {
        using var device = new CpuDevice(1);
        string message = Assert.Throws<InputException>(() => ClipCheckpoint.Find(path).Load(device).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    // The cache of Hugging Face's tools has a model's files one level down, and users write a model as the hub calls it.
    [Fact]
    public void TheHubsCacheIsAFolderAndItsNamesAreExplained()
    {
        using var folder = new TempFolder();
        string cache = folder.File("models--openai--tiny");
        foreach (string commit in new[] { "0a1b", "f00d" })
        {
            string snapshot = Directory.CreateDirectory(Path.Combine(cache, "snapshots", commit)).FullName;
            File.Copy(Path.Combine(TinyClip.Folder, "model.safetensors"), Path.Combine(snapshot, "model.safetensors"));
            if (commit == "0a1b")
            {
                Assert.Equal(snapshot, ClipCheckpoint.Find(cache).Folder);
            }
        }

        Assert.Equal(
            $"{cache}: 2 snapshots, and no refs/main that names one of them; expected one, such as {Path.Combine(cache, "snapshots", "0a1b")}",
            Assert.Throws<InputException>(() => ClipCheckpoint.Find(cache)).Message);
        Directory.CreateDirectory(Path.Combine(cache, "refs"));
        File.WriteAllText(Path.Combine(cache, "refs", "main"), "f00d\n");
        Assert.EndsWith("f00d", ClipCheckpoint.Find(cache).Folder);
        Assert.Contains(
            "(`hf download openai/clip-vit-base-patch16 --local-dir FOLDER` fetches a model of Hugging Face's hub)",
            Assert.Throws<InputException>(() => ClipCheckpoint.Find("openai/clip-vit-base-patch16")).Message);
    }
}
