using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>`ldvc segment`: any pictures, any names.</summary>
public sealed class SegmentTests : IDisposable
{
    // As people have them: EXIF orientation, grey, CMYK, alpha, palette, 16 bits, 1 bit, other formats.
    private static readonly string[] Kinds =
        ["exif6.jpg", "exif3.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg", "rgba.png", "greyalpha.png", "palette.png", "grey16.png", "bit.png",
            "lossy.webp", "rgb.bmp", "still.gif"];

    private readonly TinyData _data = new();
    private readonly string _checkpoint;

    public SegmentTests()
    {
        string run = _data.At("run");
        SmallRun.Train(SmallRun.OwnConfig(_data), run, "train.iterations=1", "model.head=dot", "model.adapter_init=identity");
        _checkpoint = SmallRun.Checkpoint(run, 1);
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public void WritesIndicesOverlayAndNumbers()
    {
        string picture = _data.At("photo.of.it.jpg"), output = _data.At("out", "deep");
        RealFormats.Jpeg(RealFormats.Scene(150, 90, 5, 2, [0, 1, 3]).Picture, picture);
        string text = Segment("traffic cone, a Zebra 🦓,blue sky", output, picture, "--json", _data.At("all.json"));
        Assert.Matches(@"photo\.of\.it\.jpg  150x90  [\d.]+ s  (traffic cone|a Zebra 🦓|blue sky) [\d.]+ %", text);
        Assert.Equal(
            ["photo.of.it.json", "photo.of.it.overlay.png", "photo.of.it.png"],
            Directory.GetFiles(output).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        LabelMap labels = LabelPng.Read(Path.Combine(output, "photo.of.it.png"));
        Assert.Equal((150, 90), (labels.Width, labels.Height));
        Assert.All(labels.Labels, label => Assert.InRange(label, 0, 2));
        JsonElement json = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "photo.of.it.json"))).RootElement;
        Assert.Equal(picture, json.GetProperty("image").GetString());
        Assert.Equal((150, 90), (json.GetProperty("width").GetInt32(), json.GetProperty("height").GetInt32()));
        JsonElement[] classes = [.. json.GetProperty("classes").EnumerateArray()];
        Assert.Equal(["traffic cone", "a Zebra 🦓", "blue sky"], classes.Select(c => c.GetProperty("name").GetString()));
        for (int i = 0; i < 3; i++)
        {
            int pixels = labels.Labels.Count(label => label == i);
            Assert.Equal(i, classes[i].GetProperty("index").GetInt32());
            Assert.Equal(pixels, classes[i].GetProperty("pixels").GetInt32());
            Assert.Equal(pixels / (150.0 * 90), classes[i].GetProperty("share").GetDouble(), 12);
        }

        Assert.Equal(0, json.GetProperty("background").GetDouble());

        // The list of all pictures has the same of each, but for what its labels depend on.
        JsonObject alone = JsonNode.Parse(json.GetRawText())!.AsObject();
        Assert.Equal(new FileInfo(picture).Length, json.GetProperty("bytes").GetInt64());
        Assert.True(alone.Remove("settings") && alone.Remove("bytes"));
        Assert.True(JsonNode.DeepEquals(alone, JsonNode.Parse(File.ReadAllText(_data.At("all.json")))![0]));

        // The overlay is the picture with a legend below.
        RgbImage overlay = ImageReader.Read(Path.Combine(output, "photo.of.it.overlay.png"));
        Assert.True(overlay.Width >= 150 && overlay.Height > 90);
    }

    [Fact]
    public void ABackgroundThresholdLeavesPixelsToNobody()
    {
        string picture = _data.At("p.png"), output = _data.At("out");
        ImageWriter.WritePng(RealFormats.Scene(100, 80, 6, 2, [0, 1, 3]).Picture, picture);
        Segment("cat,dog", output, picture, "--background", "1");
        Assert.All(LabelPng.Read(Path.Combine(output, "p.png")).Labels, label => Assert.Equal(255, label));
        JsonElement json = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "p.json"))).RootElement;
        Assert.Equal(1, json.GetProperty("background").GetDouble());

        Segment("cat,dog", output, picture, "--background", "0");
        Assert.DoesNotContain(LabelPng.Read(Path.Combine(output, "p.png")).Labels, label => label == 255);
    }

    [Fact]
    public void SeenClassesAreHeldBackByNameWhateverTheirCase()
    {
        // The penalty of the configuration is 0.1; with one of 1 a seen class can win nowhere.
        string run = _data.At("harsh");
        SmallRun.Train(_data.At("mine.yaml"), run, "train.iterations=1", "model.head=dot", "eval.seen_penalty=1");
        string picture = _data.At("p.png"), output = _data.At("out");
        ImageWriter.WritePng(TinyData.Pattern(70, 50), picture);
        foreach (string names in new[] { "CAT,Blue Sky,zebra", "zebra,cat,dog" })
        {
            (int code, _, _) = CommandLine.Run("segment", picture, "--checkpoint", SmallRun.Checkpoint(run, 1), "--classes", names, "--out", output);
            Assert.Equal(0, code);
            int zebra = Array.IndexOf(names.Split(','), "zebra");
            Assert.All(LabelPng.Read(Path.Combine(output, "p.png")).Labels, label => Assert.Equal(zebra, label));
        }

        // Among seen classes alone nobody is held back: a penalty of 1 would leave no probability above any threshold.
        Assert.Equal(
            0, CommandLine.Run(
                "segment",
                picture,
                "--checkpoint",
                SmallRun.Checkpoint(run, 1),
                "--classes",
                "cat,dog",
                "--background",
                "1e-6",
                "--out",
                output).Code);
        Assert.DoesNotContain(LabelPng.Read(Path.Combine(output, "p.png")).Labels, label => label == 255);
    }

    [Fact]
    public void EveryKindOfPictureIsSegmentedAtItsUprightSize()
    {
        string output = _data.At("out");
        string[] pictures = [.. Kinds.Select(ImageFixtures.Path_)];

        // Some share their names; those go one by one.
        foreach (string picture in pictures)
        {
            Segment("cat,dog", output, picture);
            RgbImage upright = ImageReader.Read(picture);
            LabelMap labels = LabelPng.Read(Path.Combine(output, Path.GetFileNameWithoutExtension(picture) + ".png"));
            Assert.Equal((upright.Width, upright.Height), (labels.Width, labels.Height));
        }

        // EXIF orientation 6 stands on its side in the file: 32x16 stored, 16x32 seen.
        Assert.Equal((16, 32), (LabelPng.Read(Path.Combine(output, "exif6.png")).Width, LabelPng.Read(Path.Combine(output, "exif6.png")).Height));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(700, 3)]
    [InlineData(2, 300)]
    [InlineData(641, 479)]
    public void EverySizeIsSegmented(int width, int height)
    {
        string picture = _data.At("size.png"), output = _data.At("out");
        ImageWriter.WritePng(TinyData.Pattern(width, height), picture);
        Segment("cat,dog,sky", output, picture);
        LabelMap labels = LabelPng.Read(Path.Combine(output, "size.png"));
        Assert.Equal((width, height), (labels.Width, labels.Height));
    }

    [Fact]
    public void NamesComeFromAFileWithSynonyms()
    {
        string picture = _data.At("p.png"), names = _data.At("names.txt");
        ImageWriter.WritePng(TinyData.Pattern(90, 70), picture);
        _data.Text("# of this picture\ncat; kitten;a small cat\n\nblue sky, with clouds\ndog;puppy\n", "names.txt");
        CommandLineOk("segment", picture, "--checkpoint", _checkpoint, "--classes-file", names, "--out", _data.At("file"));
        JsonElement[] classes = [.. JsonDocument.Parse(File.ReadAllText(_data.At("file", "p.json"))).RootElement.GetProperty("classes")
            .EnumerateArray()];
        Assert.Equal(["cat", "blue sky, with clouds", "dog"], classes.Select(c => c.GetProperty("name").GetString()));

        // Every name on its own; a pixel's class is that of its best name.
        string[] each = ["cat", "kitten", "a small cat", "blue sky with clouds", "dog", "puppy"];
        int[] owner = [0, 0, 0, 1, 2, 2];
        _data.Text(string.Join('\n', each).Replace("sky with", "sky, with", StringComparison.Ordinal), "each.txt");
        CommandLineOk("segment", picture, "--checkpoint", _checkpoint, "--classes-file", _data.At("each.txt"), "--out", _data.At("each"));
        byte[] single = LabelPng.Read(_data.At("each", "p.png")).Labels;
        Assert.True(single.Distinct().Count() > 2);
        byte[] grouped = LabelPng.Read(_data.At("file", "p.png")).Labels;

        // The seen penalty holds all names of a seen class back, so the two differ where it decides.
        string same = _data.At("plain");
        SmallRun.Train(_data.At("mine.yaml"), same, "train.iterations=1", "model.head=dot", "model.adapter_init=identity", "eval.seen_penalty=0");
        foreach (string list in new[] { "names.txt", "each.txt" })
        {
            CommandLineOk(
                "segment",
                picture,
                "--checkpoint",
                SmallRun.Checkpoint(same, 1),
                "--classes-file",
                _data.At(list),
                "--out",
                _data.At("plain-" + list));
        }

        Assert.Equal(
            LabelPng.Read(_data.At("plain-each.txt", "p.png")).Labels.Select(l => (byte)owner[l]),
            LabelPng.Read(_data.At("plain-names.txt", "p.png")).Labels);
        Assert.Equal(grouped.Length, single.Length);
        Assert.Contains(
            "--classes and --classes-file: expected one of the two, found both",
            CommandLine.Refuses("segment", picture, "--checkpoint", _checkpoint, "--classes", "a", "--classes-file", names, "--out", _data.At("no")));
        Assert.Contains(
            "none.txt: file not found",
            CommandLine.Refuses("segment", picture, "--checkpoint", _checkpoint, "--classes-file", _data.At("none.txt"), "--out", _data.At("no")));
        Assert.False(Directory.Exists(_data.At("no")));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(600)]
    public void ManyClassesAreWrittenIn16Bits(int count)
    {
        string picture = _data.At("p.png"), output = _data.At("out");
        ImageWriter.WritePng(TinyData.Pattern(90, 70), picture);
        string[] names = [.. Enumerable.Range(0, count).Select(i => $"{(i % 7 == 0 ? "cat" : i % 3 == 0 ? "sky" : "dog")} number {i}")];
        File.WriteAllLines(_data.At("names.txt"), names);
        CommandLineOk(
            "segment", picture, "--checkpoint", _checkpoint, "--classes-file", _data.At("names.txt"), "--background", "0.3", "--out", output);
        int[] labels = [.. LabelFile.Read(Path.Combine(output, "p.png")).Labels.Select(l => (int)l)];
        JsonElement json = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "p.json"))).RootElement;
        Assert.Equal(names, json.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.Equal(
            Enumerable.Range(0, count).Select(i => labels.Count(l => l == i)),
            json.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("pixels").GetInt32()));
        Assert.Equal(labels.Count(l => l == 65535) / (90.0 * 70), json.GetProperty("background").GetDouble(), 12);

        Assert.All(labels, label => Assert.True(label < count || label == 65535));
        Assert.True(count == 256 || labels.Any(label => label is > 254 and < 65535));
        Assert.True(ImageReader.Read(Path.Combine(output, "p.overlay.png")).Height > 70);
    }

    private static void CommandLineOk(params string[] line)
    {
        (int code, _, string error) = CommandLine.Run([.. line, "--threads", "1"]);
        Assert.Equal((0, ""), (code, error));
    }

    [Fact]
    public void OneBadPictureDoesNotCostTheOthers()
    {
        string good = _data.At("good.png"), output = _data.At("out");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), good);
        _data.Text("no picture", "bad.png");
        (int code, string text, string error) = CommandLine.Run(
            "segment", _data.At("bad.png"), good, _data.At("none.jpg"), "--checkpoint", _checkpoint, "--classes", "cat,dog", "--out", output);
        Assert.Equal(2, code);
        Assert.Contains("good.png  40x30", text);
        Assert.Equal($"ldvc: {_data.At("bad.png")}: not a picture that can be read (expected an intact JPEG, PNG, WebP, BMP or GIF, found text) (and 1 "
            + $"more of the 3 images){Environment.NewLine}", error);
        Assert.Equal(
            ["good.json", "good.overlay.png", "good.png"], Directory.GetFiles(output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TheClipIsFoundWhereItWasOrIsNamed()
    {
        string clip = _data.At("clip"), run = _data.At("moved"), picture = _data.At("p.png");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), picture);
        Directory.CreateDirectory(clip);
        foreach (string file in Directory.GetFiles(TinyClip.Folder))
        {
            File.Copy(file, Path.Combine(clip, Path.GetFileName(file)));
        }

        SmallRun.Train(_data.At("mine.yaml"), run, "train.iterations=1", $"clip.path={clip}");
        string[] arguments = ["segment", picture, "--checkpoint", SmallRun.Checkpoint(run, 1), "--classes", "a,b", "--out", _data.At("out")];
        Assert.Equal(0, CommandLine.Run(arguments).Code);
        Directory.Move(clip, _data.At("elsewhere"));
        Assert.Contains("its CLIP is not where it was in training", CommandLine.Refuses(arguments));
        Assert.Equal(0, CommandLine.Run([.. arguments, "--clip", _data.At("elsewhere")]).Code);
        string other = Path.Combine(Configuration.ConfigFiles.Repository, "assets", "demo", "clip");
        Assert.Contains("was trained on the CLIP with SHA-256", CommandLine.Refuses([.. arguments, "--clip", other]));
    }

    [Fact]
    public void WhatCannotBeDoneIsRefusedBeforeAnythingIsWritten()
    {
        string picture = _data.At("p.png"), output = _data.At("out");
        ImageWriter.WritePng(TinyData.Pattern(40, 30), picture);
        ImageWriter.WritePng(TinyData.Pattern(40, 30), _data.At("sub", "P.PNG"));
        string Refused(string classes, params string[] more) =>
            CommandLine.Refuses(["segment", picture, "--checkpoint", _checkpoint, "--classes", classes, "--out", output, .. more]);
        Assert.Contains("--classes: class name 'Cat' stands twice (as class 0 and 2), expected different names", Refused("cat,dog,Cat"));
        Assert.Contains("--classes: expected class names without line breaks, found one in 'cat dog'", Refused("cat\ndog,sky"));
        Assert.Contains("--classes: expected class names in UTF-8, found 'caf\uFFFD'", Refused("dog,caf\uFFFD"));
        Assert.Contains("--classes: class name 'traffic cone' stands twice", Refused("traffic cone,cat,traffic   cone"));
        Assert.Contains("class name '" + new string('x', 20), Refused(new string('x', 400)));
        Assert.Contains("tokens with the template around it, expected at most the 32 of this CLIP", Refused(new string('x', 400)));
        Assert.Contains(
            "would also be that of",
            CommandLine.Refuses("segment", picture, _data.At("sub", "P.PNG"), "--checkpoint", _checkpoint, "--classes", "a", "--out", output));
        Assert.Contains(
            "would replace an image that was given",
            CommandLine.Refuses("segment", picture, "--checkpoint", _checkpoint, "--classes", "a", "--out", _data.Root));
        Assert.Contains("--json: expected a file in a folder that exists", Refused("cat", "--json", Path.Combine(_data.Root, "none", "x.json")));
        Assert.False(Directory.Exists(output));
        Assert.Contains(
            "p.png: cannot be created",
            CommandLine.Refuses("segment", ImageFixtures.Path_("rgb.png"), "--checkpoint", _checkpoint, "--classes", "a", "--out", picture));
    }

    private string Segment(string classes, string output, params string[] imagesAndMore)
    {
        (int code, string text, string error) = CommandLine.Run(
            ["segment", .. imagesAndMore, "--checkpoint", _checkpoint, "--classes", classes, "--out", output, "--threads", "1"]);
        Assert.Equal((0, ""), (code, error));
        return text;
    }
}
