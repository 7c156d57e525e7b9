using System.IO.Compression;
using System.Text;
using Ldvc.Clip.Tokenization;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>
/// Bad input through the command line: exit code 2 and one sentence that names the file and what was expected. Never a stack trace, never a partial
/// output file.
/// </summary>
public sealed class BadInputTests
{
    // A user's own folder with one thing wrong, and the sentence (MINE stands for the folder).
    private static readonly Dictionary<string, (Action<TinyData> Break, string Expected)> Folders = new()
    {
        ["label outside the class list"] = (d => Mask(d, "a", 4), "MINE/masks/a.png: label value 4 at column 0, row 0, expected 0 to 3 or 255"),
        ["sizes that differ"] = (
            d => d.Mask(TinyData.Labels(9, 7, 0), "mine", "masks", "a.png"), "MINE/masks/a.png: 9x7 pixels, expected 100x75 as in MINE/images/a.jpg"),
        ["mask missing"] = (d => File.Delete(d.At("mine", "masks", "b.png")), "MINE/masks/b.png: file not found, expected for picture 'b' of "
            + "MINE/train"),
        ["picture missing"] = (d => File.Delete(d.At("mine", "images", "b.jpg")), "MINE/train.txt, line 2: picture 'b' not found, expected it in "
            + "MINE/images"),
        ["validation mask missing"] = (d => File.Delete(d.At("mine", "masks", "f.png")), "MINE/masks/f.png: file not found, expected for picture 'f' "
            + "of MINE/val"),
        ["classes missing"] = (d => File.Delete(d.At("mine", "classes.txt")), "MINE/classes.txt: file not found, expected the names of the classes, "
            + "one a line"),
        ["no pictures"] = (d => Directory.Delete(d.At("mine", "images"), true), "MINE/images: folder not found, expected pictures in it"),
        ["no folder"] = (d => Directory.Delete(d.At("mine"), true), "MINE: folder not found, expected a data set with images/, masks/ and "
            + "classes.txt"),
        ["list missing"] = (d => File.Delete(d.At("mine", "train.txt")), "MINE/train.txt: file not found, expected the pictures of this part, one a "
            + "line"),
        ["list empty"] = (d => d.Text("\n\n", "mine", "train.txt"), "MINE/train.txt: expected at least one picture, found none"),
        ["picture listed twice"] = (d => d.Text("a\nb\na\n", "mine", "train.txt"), "MINE/train.txt: picture 'a' is listed twice, expected each once"),
        ["classes twice"] = (d => d.Text("cat\ndog\nCat\nx\n", "mine", "classes.txt"), "MINE/classes.txt: class name 'Cat' stands twice (as class 0 "
            + "and 2), expected different names"),
        ["no class"] = (d => d.Text("\n", "mine", "classes.txt"), "MINE/classes.txt: 0 class names, expected 1 to 65535"),
        ["empty line in classes"] = (d => d.Text("cat\n\ndog\nblue sky\n", "mine", "classes.txt"),
            "MINE/classes.txt, line 2: is empty, and names follow"),
        ["classes not in UTF-8"] = (d => File.WriteAllBytes(d.At("mine", "classes.txt"),
            "cat\ncaf\u00e9\nsky\ncone\n".Select(c => (byte)c).ToArray()), "MINE/classes.txt, line 2: expected text in UTF-8"),
        ["unseen not in UTF-8"] = (d => File.WriteAllBytes(d.At("mine", "unseen.txt"), [0x64, 0x0A, 0xFF, 0x0A]),
            "MINE/unseen.txt, line 2: expected text in UTF-8"),
        ["pictures not in UTF-8"] = (d => File.WriteAllBytes(d.At("mine", "train.txt"), [0x61, 0x0D, 0x0A, 0xC3, 0x0D, 0x0A]),
            "MINE/train.txt, line 2: expected text in UTF-8"),
        ["a synonym of two classes"] = (
            d => d.Text("cat; pet\ndog; Pet\nblue sky\ntraffic cone\n", "mine", "classes.txt"),
            "MINE/classes.txt: class name 'Pet' stands twice (as class 0 and 1), expected different names"),
        ["overlapping split"] = (
            d => d.Text("cat\ndog\nblue sky\ntraffic cone\n", "mine", "seen.txt"),
            "MINE/seen.txt and unseen.txt: class 'traffic cone' is both seen and unseen, expected each class in one of the two, once"),
        ["split with a gap"] = (d => d.Text("cat\n", "mine", "seen.txt"), "class 'dog' is neither seen nor unseen, expected each class in one of the "
            + "two"),
        ["unseen twice"] = (d => d.Text("dog\nDog\n", "mine", "unseen.txt"), "MINE/unseen.txt: class 'dog' is listed twice"),
        ["unknown unseen class"] = (d => d.Text("zebra\n", "mine", "unseen.txt"), "MINE/unseen.txt: 'zebra' is not a class, expected names out of "
            + "the 4 classes"),
        ["nothing seen"] = (d => File.Copy(d.At("mine", "classes.txt"), d.At("mine", "unseen.txt"), true), "MINE/unseen.txt: every class is unseen, "
            + "expected at least one seen class"),
        ["two pictures of one name"] = (
            d => File.Copy(d.At("mine", "images", "a.jpg"), d.At("mine", "images", "a.png")), "MINE/images: two pictures are named 'a' (a."),
        ["picture cut short"] = (d => Cut(d.At("mine", "images", "c.jpg")), "MINE/images/c.jpg: is truncated or damaged, expected an intact JPEG "
            + "picture of"),
        ["picture that is none"] = (d => d.Text("hello", "mine", "images", "c.jpg"), "MINE/images/c.jpg: not a picture that can be read (expected an "
            + "intact JPEG"),
        ["empty picture"] = (d => d.Text("", "mine", "images", "c.jpg"), "MINE/images/c.jpg: is empty, expected a picture"),
        ["mask cut short"] = (d => Cut(d.At("mine", "masks", "c.png")), "MINE/masks/c.png: "),
        ["mask with a wrong checksum"] = (d => Flip(d.At("mine", "masks", "c.png")), "MINE/masks/c.png: "),
        ["mask with colours"] = (d => File.Copy(ImageFixtures.Path_("rgb.png"), d.At("mine", "masks", "c.png"), true),
            "a label map must be a grey or palette PNG"),
        ["mask of 16 bits above 255"] =
            (d => File.Copy(ImageFixtures.Path_("label-over255.png"), d.At("mine", "masks", "c.png"), true), "MINE/masks/c.png: "),
        ["mask that is a JPEG"] = (d => File.Copy(d.At("mine", "images", "c.jpg"), d.At("mine", "masks", "c.png"), true),
            "MINE/masks/c.png: not a PNG file (label maps must be PNG, found a JPEG)"),
        ["empty mask"] = (d => File.WriteAllText(d.At("mine", "masks", "c.png"), ""), "MINE/masks/c.png: is empty, expected a PNG file"),
        ["pairs whose mask is missing"] = (
            d => d.Text("/images/a.jpg /masks/x.png\n", "mine", "train.txt"),
            "MINE/train.txt, line 1: mask '/masks/x.png' not found, expected it in MINE or MINE/masks"),
        ["pairs whose picture is missing"] = (
            d => d.Text("/images/a.jpg /masks/a.png\n/images/x.jpg /masks/b.png\n", "mine", "train.txt"),
            "MINE/train.txt, line 2: picture '/images/x.jpg' not found, expected it in MINE/images"),
        ["a label with too many classes for the list"] =
            (d => Mask(d, "a", 9), "label value 9 at column 0, row 0, expected 0 to 3 or 255 (4 classes)"),
        ["giant picture"] = (d => File.Copy(ImageFixtures.Path_("huge.png"), d.At("mine", "images", "c.jpg"), true),
            "MINE/images/c.jpg: 60000x60000 pixels, expected"),
        ["giant mask"] = (d => File.Copy(ImageFixtures.Path_("huge.png"), d.At("mine", "masks", "c.png"), true), "MINE/masks/c.png: "),
    };

    // The benchmarks' layouts with one thing wrong.
    private static readonly Dictionary<string, (string Config, Func<TinyData, string> Make, string Expected)> Benchmarks = new()
    {
        ["voc without lists"] = ("voc/inductive", d => Without(RealFormats.Voc(d), "ImageSets"), "ROOT/ImageSets/Segmentation: folder not found, "
            + "expected it or ROOT/VOC2012/ImageSets"),
        ["voc without SBD's list"] = (
            "voc/inductive", d => Without(RealFormats.Voc(d), "ImageSets/Segmentation/trainaug.txt"),
            "ROOT/ImageSets/Segmentation/trainaug.txt: file not found, no aug.txt beside it and no SBD ("),
        ["voc without SBD's masks"] = (
            "voc/inductive",
            d => Without(RealFormats.Voc(d), "SegmentationClassAug"),
            "ROOT/SegmentationClass/2008_000008.png: file not found, expected for picture '2008_000008' of voc2012/trainaug; it may also "
                + "lie in SegmentationClassAug or in SBD's cls ("),
        ["voc label"] = ("voc/inductive", d => Relabelled(RealFormats.Voc(d), "SegmentationClass/2007_000039.png", 21), "2007_000039.png: label "
            + "value 21 at column 0, row 0, expected 0 to 20 or 255"),
        ["coco without masks"] = (
            "coco-stuff/inductive",
            d => Without(RealFormats.CocoStuff(d), "annotations"),
            "ROOT/annotations/train2017: folder not found, expected it or ROOT/stuffthingmaps/train2017"),
        ["coco with JSON for masks"] = (
            "coco-stuff/inductive",
            d => WithFile(Without(RealFormats.CocoStuff(d), "annotations/train2017"), "annotations/instances_train2017.json"),
            "ROOT/annotations/train2017: folder not found, and COCO's JSON beside it is not read; expected ROOT/stuffthingmaps/train2017 with the"),
        ["coco label"] = (
            "coco-stuff/inductive",
            d => Relabelled(RealFormats.CocoStuff(d), "annotations/train2017/000000000009.png", 182),
            "000000000009.png: label value 182 at column 0, row 0, expected 0 to 181 or 255 (as in stuffthingmaps;"),
        ["coco validation label"] = (
            "coco-stuff/inductive",
            d => Relabelled(RealFormats.CocoStuff(d), "annotations/val2017/000000000139_labelTrainIds.png", 171),
            "label value 171 at column 0, row 0, expected 0 to 170 or 255"),
        ["context without list"] = (
            "context/inductive",
            d => Without(RealFormats.Context(d), "ImageSets/SegmentationContext/val.txt"),
            "ROOT/ImageSets/SegmentationContext/val.txt: file not found, expected the pictures"),
        ["context label"] = (
            "context/inductive",
            d => Relabelled(RealFormats.Context(d), "SegmentationClassContext/2008_000003.png", 60),
            "2008_000003.png: label value 60 at column 0, row 0, expected 0 to 59 or 255"),
    };

    // Checkpoints that are none: file name, content, words of the sentence.
    private static readonly Dictionary<string, (string Name, byte[] Content, string Expected)> Checkpoints = new()
    {
        ["empty"] = ("x.safetensors", [], "x.safetensors: "),
        ["no tensors"] = ("x.pt", Encoding.UTF8.GetBytes("hello, I am a checkpoint"), "expected safetensors or a PyTorch checkpoint, got a file of "
            + "another kind"),
        ["header longer than the file"] = ("x.safetensors", [.. BitConverter.GetBytes(1L << 40), .. "{}"u8], "x.safetensors: "),
        ["tensor beyond the file"] = (
            "x.safetensors", TestFiles.Safetensors("""{"w":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}""", 16), "tensor 'w' claims bytes [0, 4000000]"),
        ["shape that lies"] = ("x.safetensors", TestFiles.Safetensors("""{"w":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}""", 16), "tensor 'w'"),
        ["pickle that runs a program"] =
            ("x.pt", new PickleBytes().Global("os", "system").Text("touch pwned").Op([0x85, (byte)'R']).Zip(), "'os.system'"),
        ["pickle that loops"] = ("x.pt", new PickleBytes().Op("}").Op("q", 0).Text("a").Op("h", 0).Op("s").Zip(), "nested"),
        ["zip bomb"] = (
            "x.pt", PickleBytes.ZipOf(
                PickleBytes.OneTensor("torch.FloatStorage", 2_500_000, 0, [2_500_000], [1]).Done(),
                CompressionLevel.SmallestSize,
                new byte[10_000_000]), "compressed"),
        ["zip cut short"] = ("x.pt", PickleBytes.OneTensor("torch.FloatStorage", 4, 0, [4], [1]).Zip(new byte[16])[..60], "truncated"),
    };

    public static TheoryData<string> FolderCases => [.. Folders.Keys];

    public static TheoryData<string> BenchmarkCases => [.. Benchmarks.Keys];

    public static TheoryData<string> CheckpointCases => [.. Checkpoints.Keys];

    [Theory]
    [MemberData(nameof(FolderCases))]
    public void OwnFolder(string what)
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data);
        Folders[what].Break(data);
        string error = Fails(SmallRun.Arguments(config, data.At("run"), "train.iterations=3"));
        Assert.Contains(Folders[what].Expected.Replace("MINE", data.At("mine"), StringComparison.Ordinal), error);
        AssertNothingPartial(data.Root);
    }

    [Theory]
    [MemberData(nameof(BenchmarkCases))]
    public void Benchmark(string what)
    {
        using var data = new TinyData();
        var (config, make, expected) = Benchmarks[what];
        string root = make(data);
        string error = Fails(SmallRun.Arguments(SmallRun.Config(config), data.At("run"), $"data.root={root}", "train.iterations=3"));
        Assert.Contains(expected.Replace("ROOT", root, StringComparison.Ordinal), error);
        AssertNothingPartial(data.Root);
    }

    [Theory]
    [MemberData(nameof(CheckpointCases))]
    public void Checkpoint(string what)
    {
        using var data = new TinyData();
        var (name, content, expected) = Checkpoints[what];
        string file = data.At("clip", name);
        File.WriteAllBytes(file, content);
        File.Copy(Path.Combine(TinyClip.Folder, "vocab.json"), data.At("clip", "vocab.json"));
        File.Copy(Path.Combine(TinyClip.Folder, "merges.txt"), data.At("clip", "merges.txt"));
        ImageWriter.WritePng(TinyData.Pattern(20, 20), data.At("p.png"));
        string config = SmallRun.OwnConfig(data);
        foreach (string[] line in (string[][])
        [
            ["convert", "--clip", file, "--out", data.At("out")],
            ["embed", "--clip", file, "--text", "a cat", "--out", data.At("f.safetensors")],
            ["segment", data.At("p.png"), "--checkpoint", file, "--classes", "a,b", "--out", data.At("out")],
            [.. SmallRun.Verb("eval", config), "--checkpoint", file],
            SmallRun.Arguments(config, data.At("run"), $"clip.path={file}"),
        ])
        {
            string error = CommandLine.Refuses(line);
            Assert.Contains(file, error);
            Assert.Contains(expected, error);
        }

        Assert.Equal(
            ["clip", "mine", "mine.yaml", "p.png"], Directory.GetFileSystemEntries(data.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.False(File.Exists("pwned"));
    }

    [Theory]
    [InlineData("train: {iteratoins: 5}", "train.iteratoins: no such key; did you mean iterations?")]
    [InlineData("train: {batch: many}", "train.batch: expected a whole number from 1 to 65536, found 'many'")]
    [InlineData("data: {kind: imagenet}", "data.kind: expected one of voc, coco-stuff, context, folder, synthetic, found 'imagenet'")]
    [InlineData("train: {lr: 1", "not valid YAML")]
    public void Configuration(string yaml, string expected)
    {
        using var data = new TinyData();
        data.Text(yaml, "c.yaml");
        foreach (string[] line in (string[][])
        [
            ["config", data.At("c.yaml")], ["train", data.At("c.yaml")], ["pretrain", data.At("c.yaml")],
                ["eval", data.At("c.yaml"), "--checkpoint", "none.safetensors"],
        ])
        {
            string error = CommandLine.Refuses(line);
            Assert.Contains(data.At("c.yaml") + ":", error);
            Assert.Contains(expected, error);
        }
    }

    [Theory]
    [InlineData("model.decoder.heads=7", "model.decoder.heads is 7, expected a divisor of the CLIP's joint width 64")]
    [InlineData("augment.crop=70", "augment.crop is 70, expected a multiple of the CLIP's patch of 16")]
    [InlineData("eval.window=70", "eval.window is 70 and eval.stride 48; expected a multiple of the patch (16)")]
    [InlineData("model.prompts.text=20", "model.prompts.text is 20, expected at most")]
    [InlineData("clip.path=nowhere", "nowhere: no such file or folder; expected a CLIP checkpoint")]
    [InlineData("data.unseen=[zebra]", "data.unseen: 'zebra' is not a class, expected names out of the 4 classes")]
    [InlineData("augment.scale=[16384,512]", "augment.scale: resize box 16384 times ratio 2: expected at most 16384")]
    [InlineData("augment.hue=0.5", "augment.hue: expected a whole number from 0 to 90")]
    [InlineData("train.setting=transductive", "train.transductive.from: expected the half-way checkpoint of an inductive run, but it is not set")]
    public void SettingsThatDoNotFit(string setting, string expected)
    {
        using var data = new TinyData();
        string run = data.At("run");
        Assert.Contains(expected, CommandLine.Refuses(SmallRun.Arguments(SmallRun.OwnConfig(data), run, setting)));
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public void TransductiveTrainingFromACheckpointThatSawTheUnseen()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), first = data.At("first");
        SmallRun.Train(config, first, "train.iterations=1", "data.unseen=[dog]");
        string from = SmallRun.Checkpoint(first, 1);
        string error = CommandLine.Refuses(
            SmallRun.Arguments(config, data.At("second"), "train.setting=transductive", $"train.transductive.from={from}"));
        Assert.Contains(
            $"train.transductive.from: expected a checkpoint trained without masks of the unseen classes, but {from} had masks of 'traffic cone'.",
            error);
        error = CommandLine.Refuses(
            SmallRun.Arguments(
                config,
                data.At("second"),
                "data.unseen=[dog]",
                "train.setting=transductive",
                $"train.transductive.from={from}",
                "model.decoder.layers=1"));
        Assert.Contains("model.decoder.layers: expected 3, as " + from + " was trained with, found 1.", error);
    }

    [Fact]
    public void TransductiveTrainingFromACheckpointThatSawEverything()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), first = data.At("first");
        SmallRun.Train(config, first, "train.iterations=1", "train.setting=full");
        string from = SmallRun.Checkpoint(first, 1);
        string error = CommandLine.Refuses(
            SmallRun.Arguments(config, data.At("second"), "train.setting=transductive", $"train.transductive.from={from}"));
        Assert.Contains($"expected a checkpoint trained without masks of the unseen classes, but {from} had masks of 'traffic cone'.", error);
    }

    [Theory]
    [InlineData("train.out")]
    [InlineData("pretrain.out")]
    [InlineData("ablate.out")]
    public void AnOutputThatIsNoName(string key)
    {
        using var data = new TinyData();
        string verb = key.Split('.')[0];
        Assert.Contains($"{key}: expected ", CommandLine.Refuses(verb, SmallRun.OwnConfig(data), "--set", $"{key}=\"\""));
    }

    [Fact]
    public void ADemoWhereAFileIs()
    {
        using var data = new TinyData();
        data.Text("a file", "taken");
        Assert.Contains("taken: cannot be created", CommandLine.Refuses("demo", "--out", data.At("taken")));
    }

    // The full-size vocabulary beside a small CLIP, for example.
    [Fact]
    public void AVocabularyOfAnotherClip()
    {
        using var data = new TinyData();
        string clip = data.At("clip", "model.safetensors");
        File.Copy(Path.Combine(TinyClip.Folder, "model.safetensors"), clip);
        File.Copy(Path.Combine(TinyClip.Folder, "config.json"), data.At("clip", "config.json"));
        ClipVocabulary.FromMerges(
            [.. from left in ByteSymbols.InOrder from right in ByteSymbols.InOrder.Take(20) select (left, right)]).Save(data.At("clip"));
        string config = SmallRun.OwnConfig(data);
        foreach (string[] line in (string[][])
        [
            SmallRun.Arguments(config, data.At("run"), $"clip.path={data.At("clip")}"),
            ["convert", "--clip", data.At("clip"), "--out", data.At("out")],
            ["embed", "--clip", data.At("clip"), "--text", "a cat", "--out", data.At("f.safetensors")],
        ])
        {
            Assert.Matches("the tokenizer has the id 5633, but the text encoder has embeddings for 0 to [0-9]+ only", CommandLine.Refuses(line));
        }
    }

    // Errors that show while training runs come after its first lines.
    private static string Fails(string[] line)
    {
        (int code, _, string error) = CommandLine.Run(line);
        Assert.Equal(2, code);
        Assert.StartsWith("ldvc: ", error);
        Assert.Equal(1, error.Count(c => c == '\n'));
        Assert.DoesNotContain("   at ", error);
        return error;
    }

    private static void AssertNothingPartial(string root)
    {
        Assert.Empty(Directory.GetFiles(root, "*.tmp", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFiles(root, "scores.json", SearchOption.AllDirectories));
    }

    private static void Mask(TinyData data, string id, byte value) => data.Mask(TinyData.Labels(100, 75, value), "mine", "masks", id + ".png");

    private static void Cut(string file)
    {
        byte[] whole = File.ReadAllBytes(file);
        File.WriteAllBytes(file, whole[..(whole.Length * 2 / 3)]);
    }

    // One bit of the pixel data, so that its checksum is wrong.
    private static void Flip(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private static string Without(string root, string part)
    {
        string path = Path.Combine(root, part);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }

        return root;
    }

    private static string WithFile(string root, string name)
    {
        File.WriteAllText(Path.Combine(root, name), "{}");
        return root;
    }

    private static string Relabelled(string root, string mask, byte value)
    {
        string path = Path.Combine(root, mask);
        var labels = LabelPng.Read(path);
        labels.Labels.AsSpan().Fill(value);
        LabelWriter.Write(labels, path);
        return root;
    }
}
