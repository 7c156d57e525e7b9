using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Import;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>`ldvc import`: ZegCLIP's files, and everything that may be wrong with them.</summary>
public sealed class ImportTests : IDisposable
{
    private const string Prompts = "backbone.prompt_embeddings";
    private const string Weights = "decode_head.loss_decode.criterion.empty_weight";

    private readonly TempFolder _folder = new();

    private string Out => _folder.File("out.safetensors");

    private string Given => _folder.File("given.pth");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheCheckpointIsAnOrdinaryOne()
    {
        string json = _folder.File("import.json");
        Assert.Contains($"{Out}: voc, inductive, 20 classes, 15 of them with masks, step 20000", ZegClipMini.Import(Out, "--json", json));
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Out);
        LdvcConfig config = checkpoint.Config;
        Assert.Equal(ZegClipMini.Classes, checkpoint.Classes);
        Assert.Equal(ZegClipMini.Seen.Order(), checkpoint.Seen.Order());
        Assert.Equal(20000, checkpoint.Step);
        Assert.Equal((10, 0, PromptDropout.Picture), (config.Model.Prompts.Vision, config.Model.Prompts.Text, config.Model.Prompts.DropoutPer));
        Assert.Equal((DecoderKind.ClassQuery, SelfAttention.None, 3, 8, 4), (config.Model.Decoder.Kind, config.Model.Decoder.Attention,
            config.Model.Decoder.Layers, config.Model.Decoder.Heads, config.Model.Decoder.FfnRatio));
        Assert.True(config.Model.ClsTwice);
        Assert.Null(config.Model.ClassEmbeddings);
        Assert.Equal(
            (DataKind.Voc, Ldvc.Configuration.ImageStatistics.Imagenet, TrainSetting.Inductive),
            (config.Data.Kind, config.Data.ImageMean, config.Train.Setting));
        Assert.Equal(
            (64, true, 64, 48, 0.1),
            (config.Eval.ShortSide, config.Eval.ExactShortSide, config.Eval.Window, config.Eval.Stride, config.Eval.SeenPenalty));

        // Tensor for tensor what the file holds; the frozen CLIP is not in it.
        using TensorArchive ours = TensorArchive.Open(Out), theirs = TensorArchive.Open(ZegClipMini.Checkpoint);
        (string Ours, string Theirs)[] pairs =
        [
            ("visual.prompt.shallow", Prompts), ("visual.prompt.deep", "backbone.deep_prompt_embeddings"),
                ("visual.prompt.proj.weight", "backbone.prompt_proj.weight"),
            ("visual.prompt.norm.bias", "backbone.prompt_norm.bias"), ("adapter.weight", "decode_head.q_proj.weight"),
            ("decoder.layers.1.cross.o.weight", "decode_head.decoder_1.layers.1.multihead_attn.proj.weight"),
            ("decoder.layers.2.ffn.fc2.bias", "decode_head.decoder_1.layers.2.linear2.bias"),
            ("decoder.layers.0.norm3.weight", "decode_head.decoder_1.layers.0.norm3.weight"),
        ];
        Assert.All(pairs, pair => Assert.Equal(theirs.ReadFloat32(pair.Theirs), ours.ReadFloat32(pair.Ours)));
        Assert.Equal([10, 64], ours.Entries["visual.prompt.shallow"].Shape);
        Assert.DoesNotContain(
            ours.Entries.Keys,
            name => name.Contains("optimizer", StringComparison.Ordinal) || name.Contains("transformer", StringComparison.Ordinal));
        Assert.Equal(NpyFile.Read(ZegClipMini.Embeddings, 1 << 20).Values, ours.ReadFloat32("class_embeddings"));

        JsonElement result = JsonDocument.Parse(File.ReadAllText(json)).RootElement;
        Assert.Equal(
            ("voc", "inductive", 20000),
            (result.GetProperty("data").GetString(), result.GetProperty("setting").GetString(), result.GetProperty("step").GetInt32()));
    }

    [Fact]
    public void SegmentNeedsNoVocabularyForTheNamesOfTheFile()
    {
        ZegClipMini.Import(Out);
        string[] segment = ["segment", ZegClipMini.At("p0.png"), "--checkpoint", Out, "--out", _folder.File("labels"), "--threads", "1", "--classes"];
        (int code, _, string error) = CommandLine.Run([.. segment, "dog, PottedPlant, train"]);
        Assert.Equal((0, ""), (code, error));
        string refused = CommandLine.Refuses([.. segment, "dog, zebra"]);
        Assert.Contains($"class name 'zebra': is none of the 20 that {Out} has embeddings for, and {Path.GetDirectoryName(ZegClipMini.Clip)} has no "
            + "vocabulary to encode it with", refused);
    }

    [Fact]
    public void OtherNamesAreEncodedWhereThereIsAVocabulary()
    {
        using var device = new CpuDevice(1);
        float[] theirs = [.. Enumerable.Range(0, 2 * 64).Select(i => MathF.Sin(i) / 5.7f)];
        File.WriteAllBytes(_folder.File("two.npy"), NpyBytes.Half(2, 64, i => theirs[i]));
        var embeddings = ClassEmbeddings.Read(_folder.File("two.npy"), ["cat", "dog"]);
        var model = new ModelConfig { Prompts = new PromptConfig { Text = 0 } };
        using LoadedModel loaded = LoadedModel.Create(
            new Ldvc.Configuration.ClipConfig { Path = TinyClip.Folder },
            model,
            device,
            1,
            embeddings), plain = LoadedModel.Create(TinyClip.Folder, model, device, 1);
        using Tensor mixed = loaded.EmbedClasses(["blue sky", "Dog", "zebra", "cat"]), encoded = plain.EmbedClasses(["blue sky", "zebra"]);
        float[] rows = mixed.ToArray(), others = encoded.ToArray();
        Assert.Equal(others[..64], rows[..64]);
        Assert.Equal(theirs[64..].Select(v => (float)(Half)v), rows[64..128]);
        Assert.Equal(others[64..], rows[128..192]);
        Assert.Equal(theirs[..64].Select(v => (float)(Half)v), rows[192..]);
    }

    [Fact]
    public void EvalTakesIt()
    {
        using var data = new TinyData();
        string root = RealFormats.Voc(data), config = Path.Combine(ConfigFilesFolder, "voc", "zegclip.yaml");
        ZegClipMini.Import(Out);
        string[] eval = ["eval", config, "--checkpoint", Out, "--set", $"data.root={root}", "--set", "eval.short_side=64", "--set", "eval.window=64",
            "--set", "eval.stride=48", "--threads", "1"];
        (int code, string text, string error) = CommandLine.Run(eval);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("step 20000, inductive", text);
        Assert.Contains("mIoU(U)", text);

        // The same embeddings may be named; others may not.
        Assert.Equal(0, CommandLine.Run([.. eval, "--set", $"model.class_embeddings={ZegClipMini.Embeddings}"]).Code);
        string other = _folder.File("other.npy");
        float[] values = NpyFile.Read(ZegClipMini.Embeddings, 1 << 20).Values;
        values[64] *= 2;
        File.WriteAllBytes(other, NpyBytes.Half(20, 64, i => values[i]));
        Assert.Contains(
            $"{other}: expected the embeddings that {Out} was trained with, found another one of 'bicycle'",
            CommandLine.Refuses([.. eval, "--set", $"model.class_embeddings={other}"]));
    }

    [Theory]
    [InlineData(157, "inductive", 156)]
    [InlineData(172, "transductive", 156)]
    [InlineData(172, "full", 171)]
    public void CocoStuffIsToldByTheNumberOfClasses(int weights, string setting, int seen)
    {
        var variant = new ZegClipVariant { Meta = null };
        variant.Set(Weights, [weights], [.. Enumerable.Repeat(1f, weights)]);
        variant.Set(Prompts, [1, 100, 64], Random(100 * 64));
        variant.Set("backbone.deep_prompt_embeddings", [2, 100, 64], Random(2 * 100 * 64));
        variant.Save(Given);
        string npy = _folder.File("coco.npy");
        float[] values = [.. Random(171 * 64).Chunk(64).SelectMany(row => row.Select(v => v / MathF.Sqrt(row.Sum(x => x * x))))];
        File.WriteAllBytes(npy, NpyBytes.Half(171, 64, i => values[i]));
        string[] arguments = [.. ZegClipMini.WithoutEmbeddings(Given, Out), "--embeddings", npy];
        if (setting != "inductive")
        {
            Assert.Contains("expected --setting transductive or --setting full", CommandLine.Refuses(arguments));
            arguments = [.. arguments, "--setting", setting];
        }

        (int code, string text, string error) = CommandLine.Run(arguments);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains($"coco-stuff, {setting}, 171 classes, {seen} of them with masks, step 0", text);
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Out);
        Assert.Equal(100, checkpoint.Config.Model.Prompts.Vision);
        Assert.Equal(KnownDatasets.CocoStuff164k().Classes, checkpoint.Classes);
        Assert.Equal(seen == 171, checkpoint.Seen.Contains("frisbee"));
        (code, _, error) = CommandLine.Run(
            "segment",
            ZegClipMini.At("p3.png"),
            "--checkpoint",
            Out,
            "--out",
            _folder.File("labels"),
            "--threads",
            "1",
            "--classes",
            string.Join(',', checkpoint.Classes));
        Assert.Equal((0, ""), (code, error));
        LabelMap labels = LabelPng.Read(Path.Combine(_folder.File("labels"), "p3.png"));
        Assert.All(labels.Labels, label => Assert.InRange(label, 0, 170));
    }

    [Theory]
    [InlineData("vpt_seg_zero_vit-b_512x512_10k_12_10_st.py", "", "transductive")]
    [InlineData("vpt_seg_fully_vit-b_512x512_20k_12_10.py", "", "full")]
    [InlineData("mine.py", "model = dict(type='ZegCLIP', novel_class=[15, 16, 17, 18, 19],\n    self_training=True)", "transductive")]
    [InlineData("mine.py", "model = dict(type='ZegCLIP', novel_class=[], ft_backbone=False)", "full")]
    public void TheNotesTellTheSetting(string experiment, string config, string setting)
    {
        var variant = new ZegClipVariant();
        variant.Meta!["exp_name"] = experiment;
        variant.Meta["config"] = config;
        variant.Set(Weights, [21], new float[21]);
        variant.Save(Given);
        Assert.Contains($"voc, {setting}, 20 classes, {(setting == "full" ? 20 : 15)} of them", ZegClipMini.ImportFrom(Given, Out));
    }

    // Other classes would be held back, and scored as unseen.
    [Fact]
    public void WhatContradictsTheNotesIsRefused()
    {
        var variant = new ZegClipVariant();
        variant.Meta!["config"] = "model = dict(type='ZegCLIP', novel_class=[15, 16, 17, 18, 19],\n    self_training=True)";
        variant.Set(Weights, [21], new float[21]);
        variant.Save(Given);
        string[] line = ZegClipMini.Arguments(Given, Out);
        Assert.Contains(
            "--setting: expected transductive, as the notes in ", CommandLine.Refuses([.. line, "--setting", "full"]));
        Assert.Contains(
            $"without masks of {string.Join(", ", ZegClipMini.Classes[15..])}, as its notes say (novel_class); expected these, or no --unseen",
            CommandLine.Refuses([.. line, "--unseen", "dog, cat, bus, car, cow"]));
        ZegClipMini.ImportFrom(Given, Out, "--setting", "transductive", "--unseen", string.Join(',', ZegClipMini.Classes[15..].Reverse()));
    }

    [Fact]
    public void TheNotesTellHeadsAndWindows()
    {
        var variant = new ZegClipVariant();
        variant.Meta!["config"] = """
            model = dict(
                text_encoder=dict(type='CLIPTextEncoder', transformer_heads=1),
                decode_head=dict(type='ATMSingleHeadSeg', num_layers=3, num_heads=4),
                test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(40, 40)))
            test_pipeline = [dict(type='MultiScaleFlipAug', transforms=[dict(type='Resize', keep_ratio=True, min_size=80)])]
            """;
        variant.Save(Given);
        ZegClipMini.ImportFrom(Given, Out);
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Out);
        Assert.Equal(
            (4, 80, 64, 40),
            (checkpoint.Config.Model.Decoder.Heads, checkpoint.Config.Eval.ShortSide, checkpoint.Config.Eval.Window, checkpoint.Config.Eval.Stride));
    }

    // Such a checkpoint would be written, and refused by whatever labels a picture with it.
    [Theory]
    [InlineData("num_heads=7", "given.pth: a decoder of 7 heads, expected a divisor of the CLIP's joint width 64")]
    [InlineData("mode='slide', crop_size=(60, 60), stride=(40, 40)", "given.pth: eval.window is 60 and eval.stride 40; expected a multiple of the")]
    public void NotesThatDoNotFitTheClipAreRefused(string config, string expected)
    {
        var variant = new ZegClipVariant();
        variant.Meta!["config"] = config;
        variant.Save(Given);
        Assert.Contains(expected, CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        Assert.False(File.Exists(Out));
        ZegClipMini.ImportFrom(Given, Out, "--set", "model.decoder.heads=4", "--set", "eval.window=64");
    }

    [Fact]
    public void ScoresAmongTheNotesAreReadOver()
    {
        var variant = new ZegClipVariant
        {
            MoreNotes = p => p.Op("}").Text("best_score").Global(
                "numpy.core.multiarray", "scalar").Op("(").Global("numpy", "dtype").Op("(").Text("f8").Int(0).Int(1).Op("tR")
                .Global("_codecs", "encode").Op("(").Text("\0\0\0\0\0\0\u00E0?").Text("latin1").Op("tRtRs"),
        };
        variant.Save(Given);
        ZegClipMini.ImportFrom(Given, Out);
    }

    [Fact]
    public void AnotherListNeedsItsNamesAndItsUnseenOnes()
    {
        string names = _folder.File("names.txt");
        File.WriteAllText(names, string.Join('\n', ZegClipMini.Classes.Select((name, i) => i == 3 ? "gnu" : name)));
        var variant = new ZegClipVariant { Meta = null };
        variant.Save(Given);
        string[] own = [.. ZegClipMini.Arguments(Given, Out), "--classes-file", names];
        Assert.Contains("expected --unseen", CommandLine.Refuses(own));
        Assert.Contains("--unseen: 'zebra' is not a class", CommandLine.Refuses([.. own, "--unseen", "zebra"]));
        Assert.Contains("expected 18 (inductive) or 20", CommandLine.Refuses([.. own, "--unseen", "gnu, dog"]));
        (int code, string text, string error) = CommandLine.Run([.. own, "--unseen", "gnu, dog, cat, bus, car"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("folder, inductive, 20 classes, 15 of them", text);
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Out);
        Assert.False(checkpoint.Seen.Contains("gnu"));

        // Names that the file itself has must stand where it has them; other words for them may.
        File.WriteAllText(names, string.Join('\n', ZegClipMini.Classes.Select((name, i) => i == 3 ? "gnu" : name + "; thing " + i)));
        ZegClipMini.ImportFrom(ZegClipMini.Checkpoint, Out, "--classes-file", names, "--unseen", "gnu, dog, cat, bus, car");
        File.WriteAllText(names, string.Join('\n', ZegClipMini.Classes.Reverse()));
        Assert.Contains(
            $"names.txt: class 19 is '{ZegClipMini.Classes[0]}', expected it as class 0, as ",
            CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Checkpoint, Out, "--classes-file", names)));

        File.WriteAllText(names, "cat\ndog\nCat\n");
        Assert.Contains("class name 'Cat' stands twice", CommandLine.Refuses(own));
        variant.Meta = new() { ["CLASSES"] = (string[])[.. ZegClipMini.Classes[..19], "cat"] };
        variant.Save(Given);
        Assert.Contains("CLASSES: class name 'cat' stands twice", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        variant.Set(Weights, [8], new float[8]);
        variant.Meta = null;
        variant.Save(Given);
        Assert.Contains("expected --classes-file", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
    }

    // Notes that hold the names in some other way, as one text or as NumPy's texts, are no reason to give the file up.
    [Fact]
    public void NamesThatCannotBeReadAreAskedFor()
    {
        var variant = new ZegClipVariant { Meta = new() { ["CLASSES"] = string.Join(',', ZegClipMini.Classes) } };
        variant.Save(Given);
        Assert.Contains("under CLASSES; expected --classes-file FILE", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        string names = _folder.File("names.txt");
        File.WriteAllLines(names, ZegClipMini.Classes);
        Assert.Contains("voc, inductive, 20 classes", ZegClipMini.ImportFrom(Given, Out, "--classes-file", names));
    }

    [Fact]
    public void WhatContradictsTheFileIsRefused()
    {
        Assert.Contains(
            "which is inductive, found full", CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Checkpoint, Out, "--setting", "full")));
        Assert.Contains(
            "--setting: expected inductive, transductive or full, found 'both'",
            CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Checkpoint, Out, "--setting", "both")));
        foreach ((string set, string instead) in new[]
        {
            ("data.unseen=[dog]", "--unseen NAMES"), ("data.classes=[a, b]", "--classes-file FILE"),
            ("data.kind=folder", "no such key, since the class names"), ("data.variant=60", "no such key"),
        })
        {
            Assert.Contains(
                $"--set '{set}': expected {instead}", CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Checkpoint, Out, "--set", set)));
        }

        Assert.Contains("expected a key under eval", CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Checkpoint, Out, "--set", "train.lr=1")));
        var variant = new ZegClipVariant();
        variant.Set(Weights, [18], new float[18]);
        variant.Save(Given);
        Assert.Contains("was trained with 17 of 20 class names", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        variant.Remove(Weights);
        variant.Save(Given);
        Assert.Contains("voc, inductive", ZegClipMini.ImportFrom(Given, Out));
        variant.Meta = new() { ["CLASSES"] = ZegClipMini.Classes };
        variant.Save(Given);
        File.Delete(Out);
        Assert.Contains("expected --setting inductive, transductive or full", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        Assert.False(File.Exists(Out));
    }

    [Fact]
    public void SettingsOfInferenceCanBeGiven()
    {
        ZegClipMini.Import(Out, "--set", "eval.stride=32", "--set", "eval.seen_penalty=0.2");
        using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Out);
        Assert.Equal((32, 0.2), (checkpoint.Config.Eval.Stride, checkpoint.Config.Eval.SeenPenalty));
    }

    [Theory]
    [InlineData("backbone.transformer.resblocks.1.mlp.c_fc.weight")]
    [InlineData("backbone.positional_embedding")]
    [InlineData("backbone.proj")]
    [InlineData("text_encoder.text_projection")]
    [InlineData("text_encoder.token_embedding.weight")]
    public void AnotherClipIsRefusedByTensor(string name)
    {
        var variant = new ZegClipVariant();
        variant[name][7] += 0.01f;
        variant.Save(Given);
        Assert.Contains(
            $"was trained on another CLIP than {ZegClipMini.Clip}: tensor '{name}' differs, at element 7",
            CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        variant[name][7] = float.NaN;
        variant.Save(Given);
        Assert.Contains($"tensor '{name}' differs, at element 7 it is nan", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        variant.Remove(name);
        variant.Save(Given);
        Assert.Contains($"'{name}'", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        Assert.False(File.Exists(Out));
    }

    [Fact]
    public void AClipOfOtherSizesIsRefusedByTensor()
    {
        string refused = CommandLine.Refuses("import", ZegClipMini.Checkpoint, "--clip", TinyClip.Half, "--out", Out);
        Assert.Contains($"{ZegClipMini.Checkpoint}: tensor 'backbone.class_embedding' has shape [64], expected [128], as in {TinyClip.Half}; it was "
            + "trained on another CLIP", refused);
    }

    [Fact]
    public void EqualWeightsInAnotherPrecisionAreEqual()
    {
        // The CLIP as 32-bit safetensors with values that 16 bits cannot hold, the checkpoint's copy of it in 16 bits.
        EditedArchive clip = EditedArchive.Load(ZegClipMini.Clip);
        var variant = new ZegClipVariant { Half = name => name.StartsWith("backbone.transformer.", StringComparison.Ordinal) };
        const string weight = "transformer.resblocks.0.mlp.c_fc.weight";
        clip.Floats["visual." + weight].Values[0] = variant["backbone." + weight][0] = 0.1f;
        variant.Save(Given);
        string path = clip.Save(_folder.File("clip.safetensors"));
        string[] arguments = ["import", Given, "--clip", path, "--embeddings", ZegClipMini.Embeddings, "--out", Out];
        (int code, _, string error) = CommandLine.Run(arguments);
        Assert.Equal((0, ""), (code, error));
        clip.Floats["visual." + weight].Values[0] = 0.101f;
        clip.Save(path);
        Assert.Contains("differs, at element 0", CommandLine.Refuses(arguments));
    }

    [Fact]
    public void PositionsOfAnotherGridAreTheClipsResized()
    {
        // Trained at 96 pixels: a grid of 12 x 12 from the CLIP's 8 x 8.
        using TensorArchive clip = TensorArchive.Open(ZegClipMini.Clip);
        float[] resized = Ldvc.Clip.PositionEmbedding.Resize(clip.ReadFloat32("visual.positional_embedding"), 8, 12, 12, 64);
        var variant = new ZegClipVariant();
        variant.Set("backbone.positional_embedding", [145, 64], resized);
        variant.Save(Given);
        ZegClipMini.ImportFrom(Given, Out);
        using (LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(Out))
        {
            Assert.Equal((96, 96, 72), (checkpoint.Config.Eval.ShortSide, checkpoint.Config.Eval.Window, checkpoint.Config.Eval.Stride));
        }

        resized[64 * 77] += 1e-3f;
        variant.Set("backbone.positional_embedding", [145, 64], resized);
        variant.Save(Given);
        Assert.Contains("tensor 'backbone.positional_embedding' differs", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        variant.Set("backbone.positional_embedding", [144, 64], new float[144 * 64]);
        variant.Save(Given);
        Assert.Contains("one for each patch of a square picture", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
    }

    [Fact]
    public void TensorsThatDoNotFitAreRefusedByName()
    {
        void Refuses(Action<ZegClipVariant> edit, string expected)
        {
            var variant = new ZegClipVariant();
            edit(variant);
            variant.Save(Given);
            Assert.Contains(expected, CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
            Assert.False(File.Exists(Out));
        }

        const string linear = "decode_head.decoder_1.layers.1.linear1.bias";
        Refuses(v => v.Set("decode_head.conv_seg.weight", [1], 0), "tensor 'decode_head.conv_seg.weight' Float32 [1] is none of ZegCLIP's");
        Refuses(v => v.Remove(linear), $"tensor '{linear}' is missing, expected [256]");
        Refuses(v => v.Set(linear, [255], new float[255]), $"tensor '{linear}' has shape [255], expected [256]");
        Refuses(v => v[linear][3] = float.NaN, $"tensor '{linear}' holds nan at element 3");
        Refuses(v => v[linear][3] = float.PositiveInfinity, $"tensor '{linear}' holds");
        Refuses(v => v.Set(Prompts, [2, 10, 64], new float[1280]), $"tensor '{Prompts}' Float32 [2, 10, 64]: expected [1, prompts, width]");
        Refuses(
            v => v.Set("backbone.deep_prompt_embeddings", [1, 10, 64], new float[640]),
            "'backbone.deep_prompt_embeddings' has shape [1, 10, 64], expected [2, 10, 64]");
        Refuses(v => v.Remove(Prompts), $"expected a checkpoint of ZegCLIP, with the tensors '{Prompts}'");
        Refuses(v => v.Set(Weights, [2, 8], new float[16]), "expected a weight for each class and one more");
    }

    [Fact]
    public void EmbeddingsThatDoNotFitAreRefused()
    {
        void Refuses(byte[] npy, string expected)
        {
            File.WriteAllBytes(_folder.File("e.npy"), npy);
            string refused = CommandLine.Refuses(
                [.. ZegClipMini.WithoutEmbeddings(ZegClipMini.Checkpoint, Out), "--embeddings", _folder.File("e.npy")]);
            Assert.Contains(_folder.File("e.npy"), refused);
            Assert.Contains(expected, refused);
            Assert.False(File.Exists(Out));
        }

        Refuses(NpyBytes.Half(19, 64, i => 1), "shape [19, 64], expected [20, the CLIP's joint width]");
        Refuses(NpyBytes.Half(20, 32, i => 0.1768f), "class embeddings of width 32, expected 64");
        Refuses(NpyBytes.Half(20, 64, i => i == 130 ? float.NaN : 1), "the embedding of class 'bird' (row 2) holds NaN or infinity");
        Refuses(NpyBytes.Half(20, 64, i => i < 64 ? 0 : 1), "the embedding of class 'aeroplane' (row 0) holds nothing but zeros");
        Refuses(NpyBytes.Of("{'descr': '<i8', 'fortran_order': False, 'shape': (20, 64), }", 1, new byte[20 * 64 * 8]), "elements of type '<i8'");
        Refuses("no array"u8.ToArray(), "found a file of another kind");

        // Without any, this CLIP cannot encode names.
        Assert.Contains("expected CLIP's vocabulary here", CommandLine.Refuses(ZegClipMini.WithoutEmbeddings(ZegClipMini.Checkpoint, Out)));
    }

    [Fact]
    public void OtherFilesAreRefused()
    {
        byte[] whole = File.ReadAllBytes(ZegClipMini.Checkpoint);
        foreach (int bytes in new[] { 0, 3, 500, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(Given, whole[..bytes]);
            Assert.Contains(Given, CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        }

        File.WriteAllBytes(Given, new PickleBytes().Global("os", "system").Text("touch x").Op([0x85, (byte)'R']).Zip());
        Assert.Contains(
            "'os.system', which is neither a tensor nor plain data; nothing was run", CommandLine.Refuses(ZegClipMini.Arguments(Given, Out)));
        Assert.Contains("found a CLIP (that goes to --clip)", CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Clip, Out)));
        Assert.Contains("no such file", CommandLine.Refuses(ZegClipMini.Arguments(_folder.File("none.pth"), Out)));
        Assert.Contains("expected safetensors or a PyTorch checkpoint", CommandLine.Refuses(ZegClipMini.Arguments(ZegClipMini.Embeddings, Out)));
        ZegClipMini.Import(Out);
        Assert.Contains("which is used as it is", CommandLine.Refuses(ZegClipMini.Arguments(Out, _folder.File("again.safetensors"))));
        Assert.Contains("from which `ldvc import` makes a checkpoint", CommandLine.Refuses(
            "segment", ZegClipMini.At("p0.png"), "--checkpoint", ZegClipMini.Checkpoint, "--classes", "a", "--out", _folder.File("o")));
    }

    [Fact]
    public void TheResultReplacesNoInput()
    {
        File.Copy(ZegClipMini.Checkpoint, Given);
        byte[] before = File.ReadAllBytes(Given);
        Assert.Contains("would replace a file that was given", CommandLine.Refuses(ZegClipMini.Arguments(Given, Given)));
        Assert.Equal(before, File.ReadAllBytes(Given));
        Assert.Contains(
            "--out: expected a file in a folder that exists", CommandLine.Refuses(ZegClipMini.Arguments(Given, _folder.File("none/x.safetensors"))));
    }

    private static string ConfigFilesFolder => Path.Combine(Configuration.ConfigFiles.Repository, "configs");

    private static float[] Random(int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
    }
}
