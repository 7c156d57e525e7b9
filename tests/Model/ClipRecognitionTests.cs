using System.IO.Compression;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Model;

/// <summary>A checkpoint knows its CLIP by its weights, its form and its statistics, not by the file that they lie in.</summary>
public sealed class ClipRecognitionTests : IDisposable
{
    private readonly TinyData _data = new();
    private readonly string _picture;

    public ClipRecognitionTests()
    {
        _picture = _data.At("p.png");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), _picture);
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public void TheSameWeightsInAnotherFileAreTheSameClip()
    {
        using var device = new CpuDevice(2);
        using var half = ClipCheckpoint.Find(TinyClip.Half).Load(device, digest: true);
        string folder = _data.At("converted"), plain = _data.At("plain");
        ClipWriter.Save(half, folder, DType.Float32, PreprocessorConfig.Default(96), null);
        Directory.CreateDirectory(plain);
        File.Copy(Path.Combine(folder, "model.safetensors"), Path.Combine(plain, "model.safetensors"));
        CopyVocabulary(folder);
        CopyVocabulary(plain);
        using var whole = ClipCheckpoint.Find(folder).Load(device, digest: true);
        Assert.Equal(half.Digest, whole.Digest);

        string checkpoint = Train($"clip.path={folder}");
        string named = _data.At("archive");
        Directory.CreateDirectory(named);
        CopyVocabulary(named);
        File.Copy(TinyClip.Half, Path.Combine(named, "ViT.pt"));
        Assert.Equal(0, Segment(checkpoint, Path.Combine(named, "ViT.pt")).Code);

        // clip.activation says what the weights alone do not; the result is the same run.
        string settled = Train($"clip.path={plain}", "settled", "clip.activation=quick-gelu"), other = Train(
            $"clip.path={plain}", "other", "clip.activation=gelu");
        Assert.Equal(Adapter(checkpoint), Adapter(settled));
        Assert.NotEqual(Adapter(checkpoint), Adapter(other));
        Assert.Contains(
            "clip.activation: expected gelu, as ",
            CommandLine.Refuses([.. SmallRun.Verb("eval", SmallRun.OwnConfig(_data), "clip.activation=quick-gelu"), "--checkpoint", other]));

        // Alone the weights do not tell their activation; the checkpoint does.
        Assert.Equal(0, Segment(checkpoint, plain).Code);
        Assert.Contains("nothing says whether", CommandLine.Refuses("embed", "--clip", plain, "--text", "a", "--out", _data.At("e.safetensors")));
    }

    [Fact]
    public void OneOtherValueIsAnotherClip()
    {
        string checkpoint = Train($"clip.path={Edited("a", _ => { })}");
        string other = Edited("b", archive => archive.Floats["logit_scale"].Values[0] += 1e-4f);
        Assert.Contains("was trained on the CLIP with SHA-256", CommandLine.Refuses(Arguments(checkpoint, other)));
    }

    [Theory]
    [InlineData("\"quick_gelu\"", "\"gelu\"", "gelu 1E-05")]
    [InlineData("\"num_attention_heads\": 2", "\"num_attention_heads\": 4", "4 heads")]
    public void TheSameWeightsUsedOtherwiseAreRefused(string from, string to, string expected)
    {
        string checkpoint = Train($"clip.path={Edited("a", _ => { })}");
        string other = Edited("b", _ => { }), config = Path.Combine(other, "config.json");
        string text = File.ReadAllText(config);
        Assert.Contains(from, text);
        File.WriteAllText(config, text.Replace(from, to));
        string message = CommandLine.Refuses(Arguments(checkpoint, other));
        Assert.Contains("was trained on these weights with vision 2 heads quick-gelu 1E-05", message);
        Assert.Contains(expected, message);
    }

    // The same weights; vocabularies of one size, which give the same texts other ids.
    [Theory]
    [InlineData("two bytes exchanged", true)]
    [InlineData("two merged tokens exchanged", true)]
    [InlineData("the same as a list of merges", false)]
    [InlineData("the same as tokenizer.json", false)]
    public void AnotherVocabularyOfTheSameSizeIsRefused(string what, bool refused)
    {
        string clip = Edited("a", _ => { }), other = Edited("b", _ => { }), checkpoint = Train($"clip.path={clip}");
        Change(other, what);
        if (!refused)
        {
            Assert.Equal(0, Segment(checkpoint, other).Code);
            return;
        }

        string run = Path.GetDirectoryName(Path.GetDirectoryName(checkpoint))!;
        foreach (string message in (string[])
            [
                CommandLine.Refuses(Arguments(checkpoint, other)),
                CommandLine.Refuses(
                    [.. SmallRun.Verb("eval", SmallRun.OwnConfig(_data), $"clip.path={other}"), "--checkpoint", checkpoint]),
                CommandLine.Refuses(
                    [
                        .. SmallRun.Verb("train", SmallRun.OwnConfig(_data), $"clip.path={other}", $"train.out={run}", "train.iterations=1"),
                        "--resume",
                    ]),
            ])
        {
            Assert.Contains(" was trained with the vocabulary with SHA-256 ", message);
            Assert.Contains(other, message);
        }
    }

    // What 0.1.0 wrote: the file's SHA-256, no statistics.
    [Fact]
    public void CheckpointsThatNameAFileStillLoad()
    {
        string clip = Edited("a", _ => { }), checkpoint = Train($"clip.path={clip}");
        var old = EditedArchive.Load(checkpoint);
        foreach (string key in (string[])["clip_digest", "clip_form", "image_mean", "image_std"])
        {
            Assert.True(old.Metadata.Remove(key), key);
        }

        old.Metadata.Add("clip_sha256", ClipCheckpoint.Find(clip).Sha256());
        string path = old.Save(_data.At("old.safetensors"));
        Assert.Equal(0, Segment(path, clip).Code);
        old.Metadata["clip_sha256"] = new string('0', 64);
        Assert.Contains("SHA-256 0000", CommandLine.Refuses(Arguments(old.Save(_data.At("older.safetensors")), clip)));
    }

    [Fact]
    public void ThePreprocessorsStatisticsCountInTrainingAndStayWithTheCheckpoint()
    {
        string clip = Edited("a", _ => { }), file = Path.Combine(clip, "preprocessor_config.json");
        File.WriteAllText(file, """{ "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6] }""");
        string checkpoint = Train($"clip.path={clip}");
        using var device = new CpuDevice(2);
        using (var saved = LdvcCheckpoint.Open(checkpoint))
        {
            Assert.Equal([0.1f, 0.2f, 0.3f], saved.Statistics.Mean);
            Assert.Equal([0.4f, 0.5f, 0.6f], saved.Statistics.Std);
            File.Delete(file);
            using var loaded = saved.LoadModel(device, clip);
            Assert.Equal([0.1f, 0.2f, 0.3f], loaded.Statistics.Mean);
        }

        // Another run on the same weights with OpenAI's statistics learns something else.
        string usual = Train($"clip.path={clip}", "other");
        using var one = TensorArchive.Open(checkpoint);
        using var two = TensorArchive.Open(usual);
        Assert.NotEqual(one.ReadFloat32("adapter.weight"), two.ReadFloat32("adapter.weight"));

        // data.image_mean: imagenet overrides the files.
        File.WriteAllText(file, """{ "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6] }""");
        string first = Train($"clip.path={clip}", "third", "data.image_mean=imagenet");
        File.Delete(file);
        string second = Train($"clip.path={clip}", "fourth", "data.image_mean=imagenet");
        using var three = TensorArchive.Open(first);
        using var four = TensorArchive.Open(second);
        Assert.Equal(three.ReadFloat32("adapter.weight"), four.ReadFloat32("adapter.weight"));
    }

    [Theory]
    [InlineData("""{ "image_mean": [0.1, 0.2] }""", "'image_mean' is [0.1, 0.2], expected three numbers")]
    [InlineData("{", "cannot be read as JSON")]
    public void ABadPreprocessorIsNamedInTraining(string json, string expected)
    {
        string clip = Edited("a", _ => { });
        File.WriteAllText(Path.Combine(clip, "preprocessor_config.json"), json);
        Assert.Contains(
            expected,
            CommandLine.Refuses([.. SmallRun.Verb("train", SmallRun.OwnConfig(_data), $"clip.path={clip}", $"train.out={_data.At("run")}")]));
    }

    [Fact]
    public void OpenClipsStatisticsAreRead()
    {
        string path = _data.At("open_clip_config.json");
        File.WriteAllText(path, """{ "preprocess_cfg": { "mean": [0.5, 0.25, 0.125], "std": [1, 0.5, 0.25] } }""");
        Assert.Equal([0.5f, 0.25f, 0.125f], OpenClipConfig.Statistics(path)!.Mean);
        Assert.Equal([1f, 0.5f, 0.25f], OpenClipConfig.Statistics(path)!.Std);
        File.WriteAllText(path, """{ "preprocess_cfg": { "mean": [0.5, 0.25, 0.125], "std": [1, 0, 0.25] } }""");
        Assert.Contains(
            "preprocess_cfg.std is [1, 0, 0.25], expected three positive numbers",
            Assert.Throws<InputException>(() => OpenClipConfig.Statistics(path)).Message);
        File.WriteAllText(path, "{}");
        Assert.Null(OpenClipConfig.Statistics(path));
    }

    private static float[] Adapter(string checkpoint)
    {
        using var archive = TensorArchive.Open(checkpoint);
        return archive.ReadFloat32("adapter.weight");
    }

    private string Train(string clip, string name = "run", params string[] more)
    {
        string run = _data.At(name);
        SmallRun.Train(SmallRun.OwnConfig(_data), run, ["train.iterations=1", clip, .. more]);
        return SmallRun.Checkpoint(run, 1);
    }

    private string[] Arguments(string checkpoint, string clip) =>
        ["segment", _picture, "--checkpoint", checkpoint, "--clip", clip, "--classes", "a,b", "--out", _data.At("out")];

    private (int Code, string Output, string Error) Segment(string checkpoint, string clip)
    {
        var result = CommandLine.Run(Arguments(checkpoint, clip));
        Assert.True(result.Code == 0, result.Error);
        return result;
    }

    private string Edited(string name, Action<EditedArchive> edit)
    {
        string target = _data.At(name);
        Directory.CreateDirectory(target);
        foreach (string file in Directory.GetFiles(TinyClip.Folder))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        var archive = EditedArchive.Load(Path.Combine(TinyClip.Folder, "model.safetensors"));
        edit(archive);
        archive.Save(Path.Combine(target, "model.safetensors"));
        return target;
    }

    private static void Change(string folder, string what)
    {
        ClipVocabulary own = ClipTokenizer.Load(folder).Vocabulary;
        Dictionary<string, int> ids = new(own.Ids);
        (string Left, string Right)[] merges = [.. own.Merges];
        switch (what)
        {
            case "two bytes exchanged":
                (ids["a"], ids["b"]) = (ids["b"], ids["a"]);
                break;
            case "two merged tokens exchanged":
                // Neither is made of the other, and each keeps the id of its place in the list.
                int at = Enumerable.Range(0, merges.Length - 1)
                    .First(i => !Joined(merges[i + 1]).Contains(Joined(merges[i]), StringComparison.Ordinal));
                string one = Joined(merges[at]), two = Joined(merges[at + 1]);
                (ids[one], ids[two]) = (ids[two], ids[one]);
                (merges[at], merges[at + 1]) = (merges[at + 1], merges[at]);
                break;
            case "the same as a list of merges":
                File.Delete(Path.Combine(folder, "vocab.json"));
                using (var gzip = new GZipStream(File.Create(Path.Combine(folder, "bpe_simple_vocab_16e6.txt.gz")), CompressionLevel.Fastest))
                {
                    gzip.Write(File.ReadAllBytes(Path.Combine(folder, "merges.txt")));
                }

                File.Delete(Path.Combine(folder, "merges.txt"));
                return;
            default:
                string vocab = File.ReadAllText(Path.Combine(folder, "vocab.json"));
                string pairs = string.Join(", ", merges.Select(merge => System.Text.Json.JsonSerializer.Serialize($"{merge.Left} {merge.Right}")));
                File.WriteAllText(Path.Combine(folder, "tokenizer.json"), $$$"""{"model": {"vocab": {{{vocab}}}, "merges": [{{{pairs}}}]}}""");
                File.Delete(Path.Combine(folder, "vocab.json"));
                return;
        }

        new ClipVocabulary(ids, merges).Save(folder);

        static string Joined((string Left, string Right) merge) => merge.Left + merge.Right;
    }

    private static void CopyVocabulary(string folder)
    {
        foreach (string file in (string[])["vocab.json", "merges.txt"])
        {
            File.Copy(Path.Combine(TinyClip.Folder, file), Path.Combine(folder, file));
        }
    }
}
