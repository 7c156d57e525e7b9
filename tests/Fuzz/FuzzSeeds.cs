using System.Text;
using System.Text.Json;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Lab.Ablation;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Fuzz;

/// <summary>Valid files that are not among the tests' data: written out, or made.</summary>
internal static class FuzzSeeds
{
    internal const string LdvcOptions = """{"heads": 2, "S": 1, "topk": 1, "grid": [2, 2], "vision_prompts": 3, "text_prompts": 4, "cls_twice": true, "head": "dot", "decoder": "vision-query", "layers": 1}""";

    internal const string TrainingFreeOptions = """{"kind": "training-free", "templates": 2, "attention": "qq", "residual": true}""";

    internal static readonly byte[] Yaml = Encoding.UTF8.GetBytes("""
        # A configuration as people write them.
        clip:
          path: "some where/clip"
          activation: auto
        data: {kind: folder, root: 'x', classes: [cat, "a dog; hound", sky], values: {7: road, 8: side walk}, ignore: [0, 3]}
        train:
          lr: 1.0e-4
          iterations: 20000
          setting: inductive
        augment:
          scale: [2048, 512]
          ratio: [0.5, 2]
        model:
          template:
            - "a photo of a {class}"
          decoder:
            kind: vision-query
            layers: 3
        eval: {window: 512, stride: 426, background: null}

        """);

    internal static readonly byte[] OpenClip = Encoding.UTF8.GetBytes("""
        {"model_cfg": {"embed_dim": 512, "quick_gelu": true, "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16, "head_width": 64, "mlp_ratio": 4.0},
         "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12, "norm_kwargs": {"eps": 1e-5}}},
         "preprocess_cfg": {"mean": [0.48, 0.45, 0.40], "std": [0.26, 0.26, 0.27]}}
        """);

    internal static readonly byte[] Preprocessor = Encoding.UTF8.GetBytes("""
        {"do_resize": true, "size": {"shortest_edge": 32}, "resample": 3, "do_center_crop": true, "crop_size": {"height": 32, "width": 32}, "do_normalize": true, "do_rescale": true,
         "rescale_factor": 0.00392156862745098, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
        """);

    internal static readonly byte[] Shards = Encoding.UTF8.GetBytes("""{"metadata": {"total_size": 16}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}""");

    internal static readonly byte[] Classes = Encoding.UTF8.GetBytes(
        "# classes\ncat; kitten; house cat\ndog # a comment\ntraffic light\n\u00E9toile\nblue, sky\n\u732B\n");

    internal static readonly byte[] Colours = Encoding.UTF8.GetBytes("# r g b name\n0 0 0\n128, 0, 0, cat; kitten\n0 128 0 dog\n0 0 255 blue sky\n");

    internal static readonly byte[] PictureList = Encoding.UTF8.GetBytes(
        "a\nb c\n/images/d.jpg /masks/d.png\nsub/e.png\nimages/f.png masks/f mask.png\n");

    internal static readonly byte[] Metrics = Encoding.UTF8.GetBytes(
        "{\"step\":1,\"loss\":1.5,\"lr\":0.0001}\n{\"step\":2,\"loss\":null}\n{\"step\":3,\"loss\":1.25,\"lr\":2e-4}\n{\"step\":4,\"lo");

    internal static readonly byte[] Scores = Encoding.UTF8.GetBytes("""{"data": "x/val", "images": 3, "checkpoint": "a/b", "step": 20, "score": "hiou", "value": 0.5, "scores": {"miou": 0.4, "classes": [{"name": "cat", "iou": null}]}}""");

    internal static readonly byte[] Segmented = Encoding.UTF8.GetBytes("""{"image": "p.jpg", "width": 4, "height": 3, "classes": [{"index": 0, "name": "cat", "pixels": 12}]}""");

    /// <summary>A comparison's result.</summary>
    internal static byte[] Result()
    {
        var line = new ScoreLine(0.5, 0.25, 0.125, 0.2);
        return Encoding.UTF8.GetBytes(JsonText.Of(new RunResult
        {
            Fingerprint = "00ff",
            Variant = "ldvc",
            Seed = 3,
            Scores = line,
            NoPenalty = line,
            Shuffled = line,
            ShuffledNoPenalty = line,
            Penalties = [new PenaltyScore(0.1, line)],
            PiecesPerObject = 1.5,
            LargePiecesPerObject = 1.25,
            RightPiecesPerFound = 1,
            Pictures = 10,
            Steps = 100,
            TrainImagesPerSecond = 12.5,
            Checkpoint = "runs/x",
        }));
    }

    /// <summary>Hugging Face's one file of a vocabulary and its merges.</summary>
    internal static byte[] Tokenizer(byte[] vocabulary, byte[] merges)
    {
        string[] lines = [.. Encoding.UTF8.GetString(merges).Split('\n').Skip(1).Where(line => line.Length > 0)];
        return [.. """{"version": "1.0", "model": {"type": "BPE", "vocab": """u8, .. vocabulary, .. """, "merges": """u8, .. JsonSerializer.SerializeToUtf8Bytes(lines), .. "}}"u8];
    }

    /// <summary>A NumPy file of four bytes a number.</summary>
    internal static byte[] Npy()
    {
        const string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }                                              \n";
        return [0x93, .. "NUMPY"u8, 1, 0, .. BitConverter.GetBytes((ushort)header.Length), .. Encoding.Latin1.GetBytes(header), .. new byte[24]];
    }

    /// <summary>A safetensors file as checkpoints are written.</summary>
    internal static byte[] WithChecksums() => Written(writer => writer.SetMetadata("step", "3"), checksums: true);

    /// <summary>A checkpoint's header over a few small tensors.</summary>
    internal static byte[] Checkpoint() => Written(writer =>
    {
        foreach (var (key, value) in new Dictionary<string, string>
        {
            ["kind"] = "ldvc",
            ["step"] = "20",
            ["clip_digest"] = new string('0', 64),
            ["clip_form"] = "vision 12 heads quick-gelu 1E-05, text 8 heads quick-gelu 1E-05",
            ["clip_path"] = "clip",
            ["image_mean"] = "[0.5,0.5,0.5]",
            ["image_std"] = "[0.25,0.25,0.25]",
            ["config"] = ConfigWriter.ToYaml(new LdvcConfig()),
            ["classes"] = """["cat; kitten","dog"]""",
            ["seen_classes"] = """["cat; kitten"]""",
        })
        {
            writer.SetMetadata(key, value);
        }

        writer.AddFloat32("class_embeddings", [2, 2], new float[] { 1, 0, 0, 1 });
    });

    /// <summary>A reference file's options over tensors that fit them.</summary>
    internal static byte[] Reference(string options) => Written(writer =>
    {
        writer.SetMetadata("options", options);
        foreach (var (name, shape) in new (string, long[])[]
        {
            ("image", [1, 3, 32, 32]), ("param.visual.prompt.shallow", [3, 4]), ("param.text.prompt", [1, 4, 4]),
                ("param.decoder.layers.0.ffn.fc1.weight", [16, 4]),
        })
        {
            writer.AddFloat32(name, shape, new float[shape.Aggregate((a, b) => a * b)]);
        }
    });

    /// <summary>mmcv's notes.</summary>
    internal static byte[] ZegClipNotes() => Written(writer =>
    {
        writer.SetMetadata("meta.CLASSES", """["cat", "dog", "sky"]""");
        writer.SetMetadata("meta.iter", "20000");
        writer.SetMetadata("meta.exp_name", "vpt_seg_zero_vit-b_512x512_20k_12_10.py");
        writer.SetMetadata("meta.config", "novel_class = [1, 2]\nself_training=True\nnum_heads=8,\ntest_cfg=dict(mode='slide', crop_size=(512, 512), "
            + "stride=(426, 426)), min_size=512");
    });

    /// <summary>The files that <see cref="Shards"/> names.</summary>
    internal static void WriteShards(string folder)
    {
        foreach (var (file, name) in new[] { ("m-1.safetensors", "a"), ("m-2.safetensors", "b") })
        {
            var writer = new SafetensorsWriter();
            writer.AddFloat32(name, [2], new float[] { 1, 2 });
            writer.Save(Path.Combine(folder, file));
        }
    }

    /// <summary>The pictures that <see cref="PictureList"/> names; nothing is in them.</summary>
    internal static void WriteDataset(string folder)
    {
        foreach (string file in new[] { "images/a.jpg", "images/b c.png", "images/d.jpg", "images/sub/e.png", "images/f.png", "masks/a.png",
            "masks/d.png", "masks/f mask.png" })
        {
            string path = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
        }

        File.WriteAllText(Path.Combine(folder, "classes.txt"), "cat\ndog\n");
    }

    private static byte[] Written(Action<SafetensorsWriter> fill, bool checksums = false)
    {
        var writer = new SafetensorsWriter { Checksums = checksums };
        writer.AddFloat32("w", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 });
        writer.AddFloat32("h", [3], new float[] { 1, 2, 3 }, DType.Float16);
        fill(writer);
        using var file = new MemoryStream();
        writer.Write(file);
        return file.ToArray();
    }
}
