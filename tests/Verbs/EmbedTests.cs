using System.Text.Json;
using Ldvc.Autograd;
using Ldvc.Clip;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Verbs;

public sealed class EmbedTests
{
    private static readonly string[] Pictures = [ImageFixtures.Path_("rgb.png"), ImageFixtures.Path_("grey.jpg"), ImageFixtures.Path_("exif6.jpg")];

    [Fact]
    public void FeaturesAreClipsOwnNormalisedAndInOrder()
    {
        using var folder = new TempFolder();
        string output = folder.File("f.safetensors");
        string[] texts = ["a photo of a cat", "", "blue sky over a green field"];
        (int code, string text, string error) = CommandLine.Run(
            "embed",
            "--clip",
            TinyClip.Folder,
            "--image",
            Pictures[0],
            "--text",
            texts[0],
            "--image",
            Pictures[1],
            Pictures[2],
            "--text",
            texts[1],
            texts[2],
            "--out", output, "--json", folder.File("f.json"), "--threads", "1");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("features of 3 images and 3 texts, 64 values each", text);

        using var archive = TensorArchive.Open(output);
        Assert.Equal(["image_features", "text_features"], archive.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([3, 64], archive.Entries["image_features"].Shape);
        Assert.Equal(Pictures, JsonSerializer.Deserialize<string[]>(archive.Metadata["images"]));
        Assert.Equal(texts, JsonSerializer.Deserialize<string[]>(archive.Metadata["texts"]));

        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        using var tape = new Tape(device, recording: false);
        for (int i = 0; i < 3; i++)
        {
            // The same by hand: one picture at a time, and texts that are not cut to the longest.
            var planes = new float[3 * 96 * 96];
            ClipPreprocess.ToTensor(ImageReader.Read(Pictures[i]), 96, ImageStatistics.Clip.Mean, ImageStatistics.Clip.Std, planes);
            using var picture = device.FromHost(planes, new Shape(1, 3, 96, 96));
            AssertUnit(clip.Visual.Encode(tape, picture).Value.ToArray(), archive.ReadFloat32("image_features").AsSpan(64 * i, 64));
            var tokens = TokenBatch.Create(TinyClip.Ids(texts[i]), 1, truncate: false);
            AssertUnit(clip.Text.Encode(tape, tokens).Value.ToArray(), archive.ReadFloat32("text_features").AsSpan(64 * i, 64));
        }

        JsonElement json = JsonDocument.Parse(File.ReadAllText(folder.File("f.json"))).RootElement;
        Assert.Equal(64, json.GetProperty("width").GetInt32());
        Assert.Equal(texts, json.GetProperty("texts").EnumerateArray().Select(t => t.GetString()));
    }

    [Fact]
    public void ImagesAloneNeedNoTokenizerAndTextsAloneNoImages()
    {
        using var folder = new TempFolder();
        string bare = TinyClip.Edited(folder, _ => { });
        Environment.SetEnvironmentVariable("LDVC_TEST_PICTURES", Path.GetDirectoryName(Pictures[0]));
        Run("embed", "--clip", bare, "--image", $"$LDVC_TEST_PICTURES/{Path.GetFileName(Pictures[0])}", "--out", folder.File("i.safetensors"));
        Run("embed", "--clip", TinyClip.Folder, "--text", "a cat", "--out", folder.File("t.safetensors"));
        using (var images = TensorArchive.Open(folder.File("i.safetensors")))
        using (var texts = TensorArchive.Open(folder.File("t.safetensors")))
        {
            Assert.Equal("image_features", Assert.Single(images.Entries.Keys));
            Assert.Equal("text_features", Assert.Single(texts.Entries.Keys));
        }

        string error = CommandLine.Refuses("embed", "--clip", bare, "--text", "a cat", "--out", folder.File("n.safetensors"));
        Assert.Contains("expected CLIP's vocabulary here, as vocab.json with merges.txt, tokenizer.json or bpe_simple_vocab_16e6.txt.gz", error);
        Assert.Contains(bare, error);
        Assert.False(File.Exists(folder.File("n.safetensors")));
    }

    [Fact]
    public void ABatchMoreChangesNothing()
    {
        using var device = new CpuDevice(1);
        using var clip = ClipEmbedder.Load(TinyClip.Folder, device);
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string[] many = [.. Enumerable.Range(0, 70).Select(i => i % 2 == 0 ? "a cat" : $"a photo of {i} small dogs")];
        float[] all = clip.EmbedTexts(many, cancellation: cancellation);
        Close(clip.EmbedTexts([many[69]], cancellation: cancellation), all.AsSpan(69 * 64));
        Close(all.AsSpan(0, 64).ToArray(), all.AsSpan(68 * 64, 64));
        string[] pictures = [.. Enumerable.Range(0, 70).Select(i => Pictures[i % 3])];
        float[] features = clip.EmbedImages(pictures, cancellation);
        Close(features.AsSpan(64, 64).ToArray(), features.AsSpan(67 * 64, 64));
        Close(clip.EmbedImages([Pictures[0]], cancellation), features.AsSpan(69 * 64, 64));
    }

    // A service embeds a text at a time: to read a CLIP's vocabulary takes longer than that.
    [Fact]
    public void TheVocabularyIsReadOnce()
    {
        using var folder = new TempFolder();
        string clip = TinyClip.Edited(folder, _ => { });
        foreach (string file in (string[])["vocab.json", "merges.txt"])
        {
            File.Copy(Path.Combine(TinyClip.Folder, file), Path.Combine(clip, file));
        }

        using var device = new CpuDevice(1);
        using var embedder = ClipEmbedder.Load(clip, device);
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        float[] first = embedder.EmbedTexts(["a cat"], cancellation: cancellation);
        File.Delete(Path.Combine(clip, "vocab.json"));
        Assert.Equal(first, embedder.EmbedTexts(["a cat"], cancellation: cancellation));
        Close(first, embedder.EmbedClasses(["cat"], ["a {class}"], cancellation));
    }

    [Fact]
    public void TextsThatAreTooLongAreRefusedOrCutOnDemand()
    {
        using var folder = new TempFolder();
        string output = folder.File("f.safetensors"), tooLong = string.Concat(Enumerable.Repeat("cat ", 40));
        string error = CommandLine.Refuses("embed", "--clip", TinyClip.Folder, "--text", "a cat", tooLong, "--out", output);
        Assert.Matches(@"text 'cat cat .*\.\.\.': \d+ tokens, expected at most the 32 of this CLIP", error);
        Assert.False(File.Exists(output));
        Run("embed", "--clip", TinyClip.Folder, "--truncate", "--text", "a cat", tooLong, "--out", output);
        using var archive = TensorArchive.Open(output);
        using var device = new CpuDevice(1);
        using var clip = TinyClip.Load(device);
        using var tape = new Tape(device, recording: false);
        AssertUnit(
            clip.Text.Encode(tape, TokenBatch.Create(TinyClip.Ids(tooLong), 1)).Value.ToArray(), archive.ReadFloat32("text_features").AsSpan(64, 64));
    }

    [Fact]
    public void TextsWithBytesThatAreNoUtf8AreRefused() =>
        Assert.Contains(
            "--text: expected text in UTF-8, found 'caf\uFFFD'",
            CommandLine.Refuses("embed", "--clip", TinyClip.Folder, "--text", "caf\uFFFD", "--out", "x"));

    [Fact]
    public void AFileIsNoText()
    {
        using var folder = new TempFolder();
        string list = folder.File("captions.txt"), output = folder.File("f.safetensors");
        File.WriteAllText(list, "a cat\n");
        string[] line = ["embed", "--clip", TinyClip.Folder, "--out", output];
        Assert.Contains($"--text: expected a text, found the name of a file, '{list}'", CommandLine.Refuses([.. line, "--text", "a cat", list]));
        Assert.Contains("it is a folder", CommandLine.Refuses([.. line, "--image", Path.GetDirectoryName(list)!]));
        Assert.Contains("--classes: expected names, found what looks like a file", CommandLine.Refuses([.. line, "--classes", list]));
        Assert.False(File.Exists(output));
    }

    [Fact]
    public void AnInterruptLeavesNothing()
    {
        using var device = new CpuDevice(1);
        using var clip = ClipEmbedder.Load(TinyClip.Folder, device);
        var stopped = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => clip.EmbedTexts(["a"], cancellation: stopped));
        Assert.Throws<OperationCanceledException>(() => clip.EmbedImages(Pictures, stopped));
    }

    [Fact]
    public void UnreadableInputsAreRefusedWithoutAPartialFile()
    {
        using var folder = new TempFolder();
        string output = folder.File("f.safetensors");
        File.WriteAllText(folder.File("text.png"), "no picture");
        Assert.Contains("text.png: not a picture", Refuses(Pictures[0], folder.File("text.png")));
        Assert.Contains("rgb.truncated.jpg: ", Refuses(Pictures[0], ImageFixtures.Path_("rgb.truncated.jpg")));
        Assert.Contains("none.png: expected an image file, but there is none", Refuses("none.png", Pictures[0]));

        // All that is wrong with a batch is said at once.
        string bad = Refuses("none.png", Pictures[0], folder.File("text.png"), "gone.png");
        Assert.Contains("3 pictures cannot be read: none.png: expected an image file, but there is none; ", bad);
        Assert.Contains("text.png: not a picture", bad);
        Assert.Contains("; gone.png: expected", bad);
        bad = Refuses([folder.File("text.png"), .. Enumerable.Repeat(Pictures[0], 70), ImageFixtures.Path_("rgb.truncated.jpg")]);
        Assert.Contains("2 pictures cannot be read: ", bad);
        Assert.Contains("rgb.truncated.jpg: ", bad);
        Assert.Contains(
            "does not exist", CommandLine.Refuses("embed", "--clip", TinyClip.Folder, "--text", "a", "--out", folder.File("no/where/f.safetensors")));
        Assert.Contains("no such file or folder", CommandLine.Refuses("embed", "--clip", folder.File("clip"), "--text", "a", "--out", output));
        Assert.Equal(["text.png"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName));

        // A file that was there stays as it was.
        File.WriteAllText(output, "old");
        Refuses(folder.File("text.png"));
        Assert.Equal("old", File.ReadAllText(output));

        string Refuses(params string[] images) => CommandLine.Refuses(["embed", "--clip", TinyClip.Folder, "--out", output, "--image", .. images]);
    }

    [Fact]
    public void ATokenizerWithTooManyIdsIsRefused()
    {
        using var folder = new TempFolder();
        string small = TinyClip.Random(folder, TinyClip.Config with { VocabularySize = 700 });
        File.Copy(Path.Combine(TinyClip.Folder, "vocab.json"), Path.Combine(small, "vocab.json"));
        File.Copy(Path.Combine(TinyClip.Folder, "merges.txt"), Path.Combine(small, "merges.txt"));
        Assert.Contains(
            "the tokenizer has the id", CommandLine.Refuses("embed", "--clip", small, "--text", "a", "--out", folder.File("f.safetensors")));
    }

    private static void Run(params string[] args)
    {
        (int code, _, string error) = CommandLine.Run(args);
        Assert.Equal((0, ""), (code, error));
    }

    private static void AssertUnit(float[] expected, ReadOnlySpan<float> actual)
    {
        double length = Math.Sqrt(expected.Sum(v => (double)v * v));
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i] / length, actual[i], 2e-6);
        }
    }

    private static void Close(float[] expected, ReadOnlySpan<float> actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-6f);
        }
    }
}
