using System.Text.Json;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Verbs;

public sealed class ConvertTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheFolderIsTheSameClip(bool huggingFace)
    {
        using var folder = new TempFolder();
        string source = huggingFace ? TinyClip.Folder : Beside(folder, TinyClip.Half), target = folder.File("new");
        (int code, string output, string error) = CommandLine.Run(
            "convert", "--clip", source, "--out", target + "/", "--threads", "1", "--json", folder.File("c.json"));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("written, with the tokenizer", output);
        Assert.Equal(
            ["config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json"],
            Directory.GetFiles(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(
            714,
            JsonDocument.Parse(File.ReadAllText(folder.File("c.json"))).RootElement.GetProperty("sizes").GetProperty("vocabulary_size").GetInt32());

        // Bit for bit: the weights, and with them every feature.
        using var device = new CpuDevice(1);
        using (ClipModel before = ClipCheckpoint.Find(source).Load(device), after = ClipCheckpoint.Find(target).Load(device))
        {
            Assert.Equal(before.Config, after.Config);
            foreach (var (old, now) in before.Parameters().Zip(after.Parameters()))
            {
                Assert.Equal(old.Name, now.Name);
                Assert.Equal(old.Parameter.Value.ToArray(), now.Parameter.Value.ToArray());
            }
        }

        Assert.Equal(Features(source, folder.File("a.safetensors")), Features(target, folder.File("b.safetensors")));
        using var archive = TensorArchive.Open(Path.Combine(target, "model.safetensors"));
        Assert.All(archive.Entries.Values, entry => Assert.Equal(DType.Float32, entry.DType));
        Assert.Equal("pt", archive.Metadata["format"]);
        if (huggingFace)
        {
            using var original = TensorArchive.Open(Path.Combine(TinyClip.Folder, "model.safetensors"));
            Assert.Equal(
                original.Entries.Values.Select(e => $"{e}").Order(StringComparer.Ordinal),
                archive.Entries.Values.Select(e => $"{e}").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void TheConfigurationTellsTheTruth()
    {
        using var folder = new TempFolder();
        string source = TinyClip.Edited(folder, _ => { });
        var tokenizer = ClipTokenizer.Load(TinyClip.Folder);

        // A vocabulary whose first special token is not one of the last two, and statistics of its own. The end of text has to be the largest.
        var ids = tokenizer.Vocabulary.Ids.ToDictionary(p => p.Key, p => p.Value == 713 ? 713 : (p.Value + 1) % 713, StringComparer.Ordinal);
        new ClipVocabulary(ids, tokenizer.Vocabulary.Merges).Save(source);
        File.WriteAllText(Path.Combine(source, "preprocessor_config.json"), """
            { "size": {"shortest_edge": 112}, "crop_size": {"height": 96, "width": 112}, "resample": 2, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.1, 0.2, 0.3] }
            """);
        Assert.Equal(0, CommandLine.Run("convert", "--clip", source, "--out", folder.File("new")).Code);
        JsonElement config = JsonDocument.Parse(File.ReadAllText(folder.File("new/config.json"))).RootElement;
        Assert.Equal(0, config.GetProperty("text_config").GetProperty("bos_token_id").GetInt32());
        Assert.Equal(713, config.GetProperty("text_config").GetProperty("eos_token_id").GetInt32());
        Assert.Equal(512, config.GetProperty("vision_config").GetProperty("intermediate_size").GetInt32());
        var preprocessor = PreprocessorConfigReader.Load(folder.File("new"), TinyClip.Config);
        var expected = PreprocessorConfigReader.Load(source, TinyClip.Config);
        Assert.Equal((112, (96, 112)), (expected.ShortSide, expected.Crop));
        Assert.Equal(
            (expected.ShortSide, expected.Exact, expected.Crop, expected.Filter),
            (preprocessor.ShortSide, preprocessor.Exact, preprocessor.Crop, preprocessor.Filter));
        Assert.Equal([0.5f, 0.4f, 0.3f], preprocessor.Mean);
        Assert.Equal([0.1f, 0.2f, 0.3f], preprocessor.Std);
    }

    // What was added to a CLIP's vocabulary goes along, and rows that only fill the table up are said.
    [Theory]
    [InlineData(715, true)]
    [InlineData(720, false)]
    public void AddedTokensAndPaddingStay(int rows, bool added)
    {
        using var folder = new TempFolder();
        string source = TinyClip.Random(folder, TinyClip.Config with { VocabularySize = rows }), target = folder.File("new");
        ClipVocabulary vocabulary = ClipTokenizer.Load(TinyClip.Folder).Vocabulary;
        (added ? vocabulary with { Added = new Dictionary<string, int> { ["<toy>"] = 714 } } : vocabulary).Save(source);
        string config = Path.Combine(source, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace($"\"eos_token_id\": {rows - 1}", "\"eos_token_id\": 713"));
        (int code, string output, string error) = CommandLine.Run("convert", "--clip", source, "--out", target);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(!added, output.Contains("note: ", StringComparison.Ordinal));
        Assert.Equal(added ? [KeyValuePair.Create("<toy>", 714)] : [], ClipTokenizer.Load(target).Vocabulary.Added);
        (code, output, error) = CommandLine.Run("embed", "--clip", target, "--text", "a cat", "--out", folder.File("f.safetensors"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(!added, output.Contains("the other 6 are taken for padding", StringComparison.Ordinal));
    }

    [Fact]
    public void WithoutATokenizerItSaysSo()
    {
        using var folder = new TempFolder();
        string source = TinyClip.Edited(folder, _ => { });
        (int code, string output, _) = CommandLine.Run("convert", "--clip", source, "--out", folder.File("new"));
        Assert.Equal(0, code);
        Assert.Contains("written, without a tokenizer", output);
        Assert.False(File.Exists(folder.File("new/vocab.json")));
        JsonElement text = JsonDocument.Parse(File.ReadAllText(folder.File("new/config.json"))).RootElement.GetProperty("text_config");
        Assert.Equal((712, 713), (text.GetProperty("bos_token_id").GetInt32(), text.GetProperty("eos_token_id").GetInt32()));
    }

    [Fact]
    public void NothingIsOverwrittenAndNothingHalfWritten()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("full"));
        File.WriteAllText(folder.File("full/mine.txt"), "mine");
        Assert.Contains("is a folder with something in it", CommandLine.Refuses("convert", "--clip", TinyClip.Folder, "--out", folder.File("full")));
        Assert.Contains("is a file", CommandLine.Refuses("convert", "--clip", TinyClip.Folder, "--out", folder.File("full/mine.txt")));
        Assert.Contains("does not exist", CommandLine.Refuses("convert", "--clip", TinyClip.Folder, "--out", folder.File("a/b")));

        // Broken sources: found before or while writing, in both cases without a trace.
        string broken = TinyClip.Edited(folder, a => a.Floats.Remove("visual_projection.weight"));
        Assert.Contains(
            "tensor 'visual_projection.weight' is missing", CommandLine.Refuses("convert", "--clip", broken, "--out", folder.File("new")));
        Directory.Delete(broken, recursive: true);
        string damaged = TinyClip.Edited(folder, _ => { });
        File.WriteAllText(Path.Combine(damaged, "tokenizer.json"), "{}");
        Assert.Contains("expected a tokenizer with 'model'", CommandLine.Refuses("convert", "--clip", damaged, "--out", folder.File("new")));
        Assert.Throws<InputException>(() => AtomicFolder.Write(folder.File("new"), path =>
        {
            File.WriteAllText(Path.Combine(path, "first"), "1");
            throw new IOException("disk full");
        }));
        Assert.Throws<InvalidOperationException>(() => AtomicFolder.Write(folder.File("new"), path =>
        {
            Directory.CreateDirectory(folder.File("new"));
            throw new InvalidOperationException();
        }));
        Assert.Equal(["edited", "full", "new"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // An empty folder may be there.
        Assert.Equal(0, CommandLine.Run("convert", "--clip", TinyClip.Folder, "--out", folder.File("new")).Code);
        Assert.Equal(5, Directory.GetFiles(folder.File("new")).Length);
    }

    private static string Beside(TempFolder folder, string checkpoint)
    {
        string target = folder.File("clip.pt");
        File.Copy(checkpoint, target);
        foreach (string name in (string[])["vocab.json", "merges.txt"])
        {
            File.Copy(Path.Combine(TinyClip.Folder, name), folder.File(name));
        }

        return target;
    }

    private static float[] Features(string clip, string file)
    {
        Assert.Equal(0, CommandLine.Run(
            "embed", "--clip", clip, "--image", ImageFixtures.Path_("rgb.png"), "--text", "a cat", "--out", file, "--threads", "1").Code);
        using var archive = TensorArchive.Open(file);
        return [.. archive.ReadFloat32("image_features"), .. archive.ReadFloat32("text_features")];
    }
}
