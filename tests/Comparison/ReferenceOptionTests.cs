using System.Globalization;
using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Comparison;

/// <summary>Models that no golden file has: what compare builds from their files is the model that wrote them.</summary>
public sealed class ReferenceOptionTests
{
    [Theory]
    [InlineData(0, 4, 3, false, 4, "\"vision_prompts\": 0")]
    [InlineData(2, 0, 2, false, 4, "\"text_prompts\": 0")]
    [InlineData(0, 0, 1, false, 4, "\"attention\": \"route\"")]
    [InlineData(5, 3, 4, true, 2, "\"cls_twice\": true, \"layers\": 4")]
    public void UnusualModelsAreRebuilt(int vision, int text, int layers, bool twice, int ffn, string options)
    {
        using var folder = new TempFolder();
        var config = new ModelConfig
        {
            ClsTwice = twice,
            Prompts = new PromptConfig { Vision = vision, Text = text, Dropout = 0 },
            Decoder = new DecoderConfig { Layers = layers, Heads = 4, FfnRatio = ffn, Windows = 2, Topk = 2, Dropout = 0 },
        };
        var file = Describe(config);
        string path = folder.File("reference.safetensors");
        file.Metadata["options"] = $"{{\"heads\": 4, \"S\": 2, \"topk\": 2, {options}}}";
        file.Save(path);
        Assert.Equal(0, CommandLine.Run("compare", "--clip", TinyClip.Folder, "--reference", path, "--threads", "1").Code);

        file.Metadata["options"] = file.Metadata["options"].Replace("\"heads\": 4", "\"heads\": 2", StringComparison.Ordinal);
        file.Save(path);
        Assert.Equal(1, CommandLine.Run("compare", "--clip", TinyClip.Folder, "--reference", path, "--threads", "1").Code);
        if (twice)
        {
            file.Metadata["options"] = "{\"heads\": 4, \"S\": 2, \"topk\": 2}";
            file.Save(path);
            Assert.Equal(1, CommandLine.Run("compare", "--clip", TinyClip.Folder, "--reference", path, "--threads", "1").Code);
        }
    }

    /// <summary>255 means "none" beyond a byte's classes, too; the program's own wide labels have another number for it.</summary>
    [Theory]
    [InlineData(255)]
    [InlineData(257)]
    [InlineData(300)]
    public void ThereMayBeMoreClassesThanAByteHolds(int classes)
    {
        using var folder = new TempFolder();
        string path = folder.File("reference.safetensors");
        var config = new ModelConfig
        {
            Prompts = new PromptConfig { Vision = 1, Text = 0, Dropout = 0 },
            Decoder = new DecoderConfig { Layers = 1, Heads = 4, Dropout = 0 },
        };
        var file = Describe(config, classes);
        file.Metadata["options"] = "{\"heads\": 4}";
        file.Save(path);
        string[] compare = ["compare", "--clip", TinyClip.Folder, "--reference", path, "--threads", "1"];
        Assert.Equal(0, CommandLine.Run(compare).Code);

        // The last class's rows of pixels become none: another loss.
        int[] labels = file.Integers["labels"].Values;
        labels.AsSpan().Replace(classes - 1, 255);
        file.Save(path);
        Assert.Equal(1, CommandLine.Run(compare).Code);

        labels[7] = classes == 255 ? 256 : classes;
        file.Save(path);
        Assert.Contains($"tensor 'labels' holds {labels[7]}, expected one of the {classes} classes", CommandLine.Refuses(compare));
    }

    /// <summary>A reference file of a random model: parameters, inputs, and what the model computes.</summary>
    private static EditedArchive Describe(ModelConfig config, int classes = 3)
    {
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        var random = new CounterRandom(3, 1);
        string[] sentences = ["a photo of a cat", "a photo of a dog", "a photo of grass"];
        int[] ids = TinyClip.Ids([.. Enumerable.Range(0, classes).Select(c => sentences[c % 3])]);
        using var model = new LdvcModel(clip, config, new Initializer(device, 5), TokenBatch.Create(ids.AsSpan(0, TinyClip.Config.ContextLength), 1));
        var file = new EditedArchive();
        foreach (var (name, parameter) in model.Parameters())
        {
            file.Floats.Add("param." + name, ([.. parameter.Shape.ToArray().Select(s => (long)s)], parameter.Value.ToArray()));
        }

        float[] picture = [.. Enumerable.Range(0, 3 * 64 * 96).Select(_ => (float)random.NextNormal())];
        file.Floats.Add("image", ([1, 3, 64, 96], picture));
        file.Integers.Add("ids", ([classes, TinyClip.Config.ContextLength], ids));
        int[] labels = [.. Enumerable.Range(0, 64 * 96).Select(i => i % 96 < 40 ? 0 : i % 96 < 60 ? classes - 1 : 255)];
        file.Integers.Add("labels", ([1, 64, 96], labels));

        using var tape = new Tape(device, recording: false);
        using var image = device.FromHost(picture, new Shape(1, 3, 64, 96));
        var size = new Shape(1, 64, 96);
        using var target = classes <= 255
            ? device.FromHost(labels.Select(l => (byte)l).ToArray(), size)
            : device.FromHost(labels.Select(l => l == 255 ? 65535 : l).ToArray(), size);
        var texts = model.EncodeClasses(tape, TokenBatch.Create(ids, classes));
        var (token, patches) = model.EncodeImage(tape, image);
        var logits = model.Decode(tape, token, patches, texts, 4, 6);
        var loss = new LossConfig();
        tape.MaskLoss(logits, target, (float)loss.Focal, (float)loss.Dice, (float)loss.Alpha, out var parts);
        using (parts)
        {
            foreach (var (name, tensor) in ((string, Tensor)[])
                [("text_embeddings", texts.Value), ("class_embedding", token.Value), ("patch_embeddings", patches.Value),
                    ("mask_logits", logits.Value), ("loss", parts)])
            {
                file.Floats.Add(name, ([.. tensor.Shape.ToArray().Select(s => (long)s)], tensor.ToArray()));
            }
        }

        Assert.All(file.Floats.Values, f => Assert.All(f.Values, v => Assert.True(float.IsFinite(v), v.ToString(CultureInfo.InvariantCulture))));
        return file;
    }
}
