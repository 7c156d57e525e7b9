using System.Text;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Comparison;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Matlab;
using Ldvc.Import;
using Ldvc.Inference;
using Ldvc.Lab.Ablation;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Training;
using ClipConfig = Ldvc.Clip.ClipConfig;

namespace Ldvc.Fuzz;

/// <summary>Every parser of files, with valid files of the tests' data to begin from.</summary>
internal static class FuzzParsers
{
    private static readonly ClipConfig Clip = new(new TowerConfig(4, 1, 1, 8), new TowerConfig(4, 1, 1, 8), 4, 32, 16, 16, 600);

    private static readonly string[] PictureEndings = [".png", ".jpg", ".webp", ".bmp", ".gif"];

    private static readonly string[] Pickles =
        ["zip.pt", "zip-protocol4.pt", "zip-nested.pt", "zip-wrapped.pt", "notes.pt", "notes-protocol4.pt", "module.pt", "module-wrapped.pt"];

    private static readonly string[] LegacyPickles = ["legacy.pt", "notes-legacy.pt", "module-legacy.pt"];

    /// <summary>All parsers.</summary>
    /// <param name="data">The folder tests/data.</param>
    internal static IReadOnlyList<FuzzParser> All(string data)
    {
        byte[] Seed(params string[] parts) => File.ReadAllBytes(Path.Combine([data, .. parts]));
        void CopyVocabulary(string folder, params string[] names)
        {
            foreach (string name in names)
            {
                File.WriteAllBytes(Path.Combine(folder, name), Seed("clip-tiny", "hf", name));
            }
        }

        byte[] vocabulary = Seed("clip-tiny", "hf", "vocab.json"), merges = Seed("clip-tiny", "hf", "merges.txt");
        return
        [
            .. Texts(),
            new(
                "hf-config",
                "config.json",
                [Seed("clip-tiny", "hf", "config.json"), Seed("clips", "l14-336-small", "config.json")],
                FuzzMutator.Text,
                input => HuggingFaceConfig.Read(input.File)),
            new("open-clip-config", OpenClipConfig.FileName, [Seed("clips", "h14-small", OpenClipConfig.FileName), FuzzSeeds.OpenClip],
                FuzzMutator.Text, input =>
            {
                OpenClipConfig.Read(input.File);
                OpenClipConfig.Statistics(input.File);
            }),
            new("preprocessor", PreprocessorConfigReader.FileName,
                [Seed("clip-tiny", "hf", PreprocessorConfigReader.FileName), FuzzSeeds.Preprocessor], FuzzMutator.Text, input =>
            {
                _ = input.File;
                PreprocessorConfigReader.Load(input.Folder, Clip);
                PreprocessorConfigReader.Statistics(input.Folder);
            }),
            new("vocabulary", "vocab.json", [vocabulary], FuzzMutator.Text, Tokenizer, folder => CopyVocabulary(folder, "merges.txt"))
            {
                Care = FuzzCare.Json,
            },
            new("merges", "merges.txt", [merges], FuzzMutator.Text, Tokenizer, folder => CopyVocabulary(folder, "vocab.json"))
            {
                Care = FuzzCare.Lines,
            },
            new("tokenizer", "tokenizer.json", [FuzzSeeds.Tokenizer(vocabulary, merges)], FuzzMutator.Text, Tokenizer) { Care = FuzzCare.Json },
            new("bpe", VocabularyFiles.OpenAi, [FuzzContainers.Gzip(merges)], FuzzContainers.Gzip(FuzzMutator.Text), Tokenizer)
            {
                FreeBytes = 64 << 20,
                Care = FuzzContainers.Gzip(FuzzCare.Lines),
            },
            new(
                "safetensors",
                "x.safetensors",
                [Seed("checkpoints", "expected.safetensors"), FuzzSeeds.WithChecksums()],
                FuzzContainers.Safetensors(FuzzMutator.Text),
                Tensors) { Care = FuzzContainers.Safetensors(FuzzCare.Json) },
            new(
                "shards",
                "m.safetensors.index.json",
                [FuzzSeeds.Shards],
                FuzzMutator.Text,
                input => TensorArchive.Open(input.File).Dispose(),
                FuzzSeeds.WriteShards),
            new(
                "pickle-zip",
                "x.pt",
                [.. Pickles.Select(name => Seed("checkpoints", name))],
                FuzzContainers.TorchZip(FuzzMutator.Bytes),
                Tensors) { Care = FuzzContainers.TorchZip(FuzzCare.Letters) },
            new("torchscript", "x.pt", [Seed("checkpoints", "script.pt")], FuzzContainers.TorchZip(FuzzMutator.Bytes), Tensors)
            {
                Care = FuzzContainers.TorchZip(FuzzCare.Letters),
            },
            new("pickle-legacy", "x.pt", [.. LegacyPickles.Select(name => Seed("checkpoints", name))], FuzzMutator.Bytes, Tensors),
            new(
                "npy",
                "x.npy",
                [Seed("zegclip-mini", "class_embeddings.npy"), FuzzSeeds.Npy()],
                FuzzContainers.Npy(FuzzMutator.Text),
                input => NpyFile.Read(input.File, 1 << 20)) { Care = FuzzContainers.Npy(FuzzCare.Letters) },
            new("label-png", "x.png", Pictures(data, name => name.StartsWith("label-", StringComparison.Ordinal) && name != "label-over255.png"),
                FuzzContainers.Png, input =>
                PngLabels.Decode(input.Bytes, "x.png"))
            {
                FreeBytes = (4 * PixelLimit.Free) + (16 << 20),
                Care = FuzzContainers.Png,
            },
            new("label-mat", "x.mat", [.. new[] { "sbd", "context", "coco-stuff10k", "one-double" }.Select(name => Seed("matlab", name + ".mat"))],
                FuzzContainers.Mat(FuzzMutator.Bytes), input =>
                MatLabels.Decode(input.Bytes, "x.mat"))
            {
                FreeBytes = (4 * PixelLimit.Free) + (16 << 20),
                Care = FuzzContainers.Mat(FuzzCare.Letters),
            },
            .. PictureEndings.Select(ending => new FuzzParser(
                ending[1..], "x" + ending, Pictures(data, name => name.EndsWith(ending, StringComparison.Ordinal) && !IsBroken(name)),
                ending == ".png" ? FuzzContainers.Png : FuzzMutator.Bytes,
                input => ImageReader.Decode(input.Bytes, "x", 1 << 22))
            {
                FreeBytes = 32 << 20,
                Care = ending == ".png" ? FuzzContainers.Png : FuzzCare.Letters,
            }),
            new("checkpoint", "x.safetensors", [FuzzSeeds.Checkpoint()], FuzzContainers.Safetensors(FuzzMutator.Text), input =>
            {
                using LdvcCheckpoint checkpoint = LdvcCheckpoint.Open(input.File);
            })
            {
                Care = FuzzContainers.Safetensors(FuzzCare.Json),
            },
            new("reference", "x.safetensors", [FuzzSeeds.Reference(FuzzSeeds.LdvcOptions), FuzzSeeds.Reference(FuzzSeeds.TrainingFreeOptions)],
                FuzzContainers.Safetensors(FuzzMutator.Text), input =>
            {
                using var file = new ReferenceFile(input.File, 0);
                if (TrainingFreeOptions.AreIn(file))
                {
                    TrainingFreeOptions.Read(file);
                }
                else
                {
                    LdvcReferenceOptions.Read(file, Clip);
                }
            })
            {
                Care = FuzzContainers.Safetensors(FuzzCare.Json),
            },
            new("zegclip-notes", "x.safetensors", [FuzzSeeds.ZegClipNotes()], FuzzContainers.Safetensors(FuzzMutator.Text), input =>
            {
                using TensorArchive archive = TensorArchive.Open(input.Bytes, "x.safetensors");
                var notes = new ZegClipNotes(archive);
                _ = (notes.Step, notes.Classes, notes.Unseen, notes.Heads, notes.Window, notes.Stride, notes.ShortSide, notes.Setting);
            })
            {
                Care = FuzzContainers.Safetensors(FuzzCare.Json),
            },
        ];
    }

    // Texts that people and this program write.
    private static FuzzParser[] Texts() =>
    [
        new(
            "yaml",
            "x.yaml",
            [Encoding.UTF8.GetBytes(ConfigWriter.ToYaml(new LdvcConfig())), FuzzSeeds.Yaml],
            FuzzMutator.Text,
            input => ConfigLoader.Load(input.File)),
        new("classes", "classes.txt", [FuzzSeeds.Classes], FuzzMutator.Text, input =>
        {
            ClassList.FromFile(input.File);
            ClassList.FromLabelFile(input.File);
            ClassList.FromText(Encoding.UTF8.GetString(input.Bytes), "text");
        }),
        new(
            "colours",
            "colours.txt",
            [FuzzSeeds.Colours],
            FuzzMutator.Text,
            input => MaskColours.Read(input.File).Resolve(new ClassList(MaskColours.Read(input.File).Names, "x"))),
        new(
            "pictures",
            "train.txt",
            [FuzzSeeds.PictureList],
            FuzzMutator.Text,
            input => _ = FolderDataset.Open(Path.GetDirectoryName(input.File)!, "train").Count,
            FuzzSeeds.WriteDataset),
        new("splits", "splits.txt", [FuzzSeeds.Classes], FuzzMutator.Text, input => ClassSplit.Read([input.File], "x")),
        new("metrics", "metrics.jsonl", [FuzzSeeds.Metrics], FuzzMutator.Text, input =>
        {
            MetricsLog.Open(input.File, 3).Dispose();
            RunMetrics.Read(input.Folder, "loss");
        }),
        new("results", "scores.json", [FuzzSeeds.Scores, FuzzSeeds.Segmented, FuzzSeeds.Result()], FuzzMutator.Text, input =>
        {
            // These files are this program's own: what is wrong with one counts as a missing file.
            string file = input.File;
            ResultFile.Load<RunResult>(file);
            ResultFile.Load<VariantCost>(file);
            File.Copy(file, Path.Combine(input.Folder, "p.json"), overwrite: true);
            new SegmentFiles(input.Folder, SegmentParts.None, "cat").Exist(new PictureSource(Path.Combine(input.Folder, "p.json"), "p"));
            File.Copy(file, Path.Combine(input.Folder, "best.json"), overwrite: true);
            _ = new BestCheckpoint(input.Folder, BestScore.Hiou, 10);
            try
            {
                JsonText.Read(file, json => json.GetProperty("step").GetInt64());
            }
            catch (InputException)
            {
                // As RunFolder takes it.
            }
        }, folder => File.WriteAllBytes(Path.Combine(folder, "p.png"), [1])),
    ];

    private static void Tokenizer(FuzzInput input)
    {
        _ = input.File;
        ClipTokenizer.Load(input.Folder).Encode("a photo of 2 cats", 16);
    }

    private static void Tensors(FuzzInput input)
    {
        using TensorArchive archive = TensorArchive.Open(input.Bytes, "x");
        foreach (TensorEntry entry in archive.Entries.Values)
        {
            archive.ReadFloat32(entry.Name);
        }
    }

    private static bool IsBroken(string name) => name.Contains("truncated", StringComparison.Ordinal) || name is "huge.png";

    private static byte[][] Pictures(string data, Func<string, bool> wanted) =>
        [.. Directory.GetFiles(Path.Combine(data, "images")).Order(StringComparer.Ordinal).Where(file => wanted(Path.GetFileName(file))
            && PictureEndings.Contains(Path.GetExtension(file))).Select(File.ReadAllBytes)];
}
