using System.Text.Json;
using System.Text.Json.Nodes;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>What `ldvc segment` may replace, what its lists hold, and pictures that cost nobody else.</summary>
public sealed class SegmentPlacesTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    // Masks and annotations often lie beside their pictures.
    [Fact]
    public void WhatIsNoResultIsNotReplaced()
    {
        string picture = _data.At("a.jpg"), mask = _data.At("a.png"), notes = _data.At("a.json");
        RealFormats.Jpeg(TinyData.Pattern(40, 30), picture);
        void Keeps(string file, string content, string expected, params string[] more)
        {
            File.WriteAllText(file, content);
            Assert.Contains($"{file}: {expected}", CommandLine.Refuses(Line([picture], _data.Root, more)));
            Assert.Equal(content, File.ReadAllText(file));
            File.Delete(file);
        }

        Keeps(notes, """{"version": "5.4.1", "shapes": [], "imagePath": "a.jpg"}""", "is there already, and is no result of `ldvc segment`");
        Keeps(notes, "[]", "is there already");
        Keeps(mask, "no PNG", "is there already, and is no result");
        Keeps(_data.At("coco.json"), """{"images": [], "annotations": []}""", "is there already, and is not one that", "--save", "coco");
        _data.Mask(TinyData.Labels(40, 30, 0, 1), "a.png");
        byte[] drawn = File.ReadAllBytes(mask);
        Assert.Contains($"{mask}: is there already", CommandLine.Refuses(Line([picture], _data.Root)));
        Assert.Equal(drawn, File.ReadAllBytes(mask));
        File.Delete(mask);

        // Results are replaced, whole or not.
        Segment([picture], _data.Root, "--save", "coco");
        Segment([picture], _data.Root, "--save", "coco");
        File.Delete(notes);
        Segment([picture], _data.Root);
        File.Delete(mask);
        Segment([picture], _data.Root);

        // A result that was corrected by hand is left out with --skip-existing, and never replaced.
        _data.Mask(TinyData.Labels(40, 30, 0, 1), "a.png");
        Segment([picture], _data.Root, "--skip-existing");
        Assert.Contains($"{mask}: is there already", CommandLine.Refuses(Line([picture], _data.Root)));
        Assert.Equal(drawn, File.ReadAllBytes(mask));

        // Results of 0.1.0 say less, and are made anew.
        JsonObject old = JsonNode.Parse(File.ReadAllText(notes))!.AsObject();
        Assert.True(old.Remove("settings"));
        File.WriteAllText(notes, old.ToJsonString());
        Segment([picture], _data.Root);
        Assert.NotEqual(drawn, File.ReadAllBytes(mask));

        // Files that are about all pictures have places of their own, too.
        RealFormats.Jpeg(TinyData.Pattern(40, 30), _data.At("coco.jpg"));
        Assert.Contains("would also be that of --save coco", CommandLine.Refuses(Line([_data.At("coco.jpg")], _data.At("out"), "--save", "coco")));
        Directory.CreateDirectory(_data.At("out"));
        Assert.Contains("would also be that of --json", CommandLine.Refuses(Line([picture], _data.At("out"), "--json", _data.At("out", "a.json"))));
        Assert.Contains(
            $"{_data.Root}: its 4 pictures lie below the folder of results", CommandLine.Refuses(Line([_data.Root], _data.Root)));
    }

    [Fact]
    public void TheListHoldsWhatWasDoneBefore()
    {
        foreach (string name in new[] { "a.png", "b.png", "c.png" })
        {
            ImageWriter.WritePng(TinyData.Pattern(40, 30, name[0]), _data.At("in", name));
        }

        string list = _data.At("all.json"), output = _data.At("out");
        Segment([_data.At("in")], output, "--json", list);
        string whole = File.ReadAllText(list);
        File.Delete(_data.At("out", "b.json"));
        Segment([_data.At("in")], output, "--json", list, "--skip-existing");
        Assert.Equal(whole, File.ReadAllText(list));
        Segment([_data.At("in")], output, "--json", list, "--skip-existing");
        Assert.Equal(whole, File.ReadAllText(list));
        Assert.Equal(3, JsonDocument.Parse(whole).RootElement.GetArrayLength());
    }

    // An overlay of other names beside new labels would be taken for theirs.
    [Fact]
    public void PartsOfOtherSettingsDoNotStay()
    {
        string picture = _data.At("a.jpg"), output = _data.At("out");
        RealFormats.Jpeg(TinyData.Pattern(40, 30), picture);
        Segment([picture], output, "--save", "overlay,plain,masks,probabilities", "--background", "0.1");
        string[] all = Files();
        Assert.Superset(new HashSet<string> { "a.json", "a.overlay.png", "a.plain.png", "a.png", "a.probabilities.safetensors" }, all.ToHashSet());
        Assert.Contains(all, file => file.StartsWith("a.masks/", StringComparison.Ordinal));
        File.WriteAllText(_data.At("out", "a.notes.txt"), "mine");

        // The same labels: what is there belongs to them.
        Segment([picture], output, "--save", "none", "--background", "0.1");
        Assert.Equal([.. all.Append("a.notes.txt").Order(StringComparer.Ordinal)], Files());
        Segment([picture], output, "--save", "plain", "--background", "0.2");
        Assert.Equal(["a.json", "a.notes.txt", "a.plain.png", "a.png"], Files());

        string[] Files() => [.. Directory.GetFiles(output, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(output, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
    }

    // A picture that was replaced by another one, whose time may be an old one, has no result yet, whatever its name says.
    [Theory]
    [InlineData("newer", 40, 0, "0 of 1 images have results already; 1 have some of ")]
    [InlineData("longer", 56, -9, "0 of 1 images have results already; 1 have some of ")]
    [InlineData("copied", 40, -9, "1 of 1 images have results already")]
    public void ResultsOfAnotherPictureAreMadeAnew(string change, int width, int days, string expected)
    {
        string picture = _data.At("a.jpg"), output = _data.At("out");
        RealFormats.Jpeg(TinyData.Pattern(40, 30), picture);
        Segment([picture], output, "--save", "overlay,masks");
        if (change != "copied")
        {
            RealFormats.Jpeg(TinyData.Pattern(width, 30), picture);
        }

        File.SetLastWriteTimeUtc(picture, DateTime.UtcNow.AddDays(days).AddMinutes(1));
        (int code, string text, _) = CommandLine.Run(Line([picture], output, "--save", "none", "--skip-existing"));
        Assert.Equal(0, code);
        Assert.Contains(expected, text);
        Assert.Equal(width, LabelPng.Read(_data.At("out", "a.png")).Width);

        // No overlay of the earlier one lies beside the new labels.
        Assert.Equal(change == "copied", File.Exists(_data.At("out", "a.overlay.png")));
        Assert.Equal(change == "copied", Directory.Exists(_data.At("out", "a.masks")));
    }

    // Only what has a mask's name is taken for one.
    [Theory]
    [InlineData("corrected by hand.png", true)]
    [InlineData("cat.png", true)]
    [InlineData("12-cat.png", true)]
    [InlineData("0001-a b.png", true)]
    [InlineData("007-cat.jpg", true)]
    [InlineData("007-.png", false)]
    [InlineData("007-cat.png", false)]
    [InlineData("1007-blue_sky.png", false)]
    public void OtherFilesAmongMasksStay(string name, bool stays)
    {
        string picture = _data.At("a.jpg"), output = _data.At("out"), file = _data.At("out", "a.masks", name);
        RealFormats.Jpeg(TinyData.Pattern(40, 30), picture);
        File.WriteAllText(file, "mine");
        Segment([picture], output, "--save", "masks");
        Assert.Equal(stays, File.Exists(file));
        File.WriteAllText(file, "mine");
        Segment([picture], output, "--save", "none", "--background", "0.2");
        Assert.Equal(stays, File.Exists(file));
    }

    [Fact]
    public void MasksOfAllPicturesThatStayAreSaid()
    {
        string picture = _data.At("a.jpg"), output = _data.At("out");
        string note = $"note: {_data.At("out", "coco.json")} is of an earlier run and stays as it is";
        RealFormats.Jpeg(TinyData.Pattern(40, 30), picture);
        Assert.DoesNotContain(note, CommandLine.Run(Line([picture], output, "--save", "coco")).Out);
        Assert.DoesNotContain(note, CommandLine.Run(Line([picture], output, "--save", "coco")).Out);
        Assert.DoesNotContain(note, CommandLine.Run(Line([picture], output, "--save", "none", "--skip-existing")).Out);
        Assert.Contains(note, CommandLine.Run(Line([picture], output, "--background", "0.2")).Out);
        Assert.True(File.Exists(_data.At("out", "coco.json")));
    }

    // Who names a folder expects all of its pictures among the results.
    [Fact]
    public void PicturesOfOtherFormatsAreSaid()
    {
        ImageWriter.WritePng(TinyData.Pattern(40, 30), _data.At("in", "a.png"));
        foreach (string name in new[] { "b.HEIC", "sub/c.tif", ".d.tif", "notes.txt" })
        {
            _data.Text("", ["in", .. name.Split('/')]);
        }

        (int code, string text, _) = CommandLine.Run(Line([_data.At("in")], _data.At("out")));
        Assert.Equal(0, code);
        Assert.Contains(
            $"note: 2 pictures are left out, in formats that are not read: {_data.At("in", "b.HEIC")}, {_data.At("in", "sub", "c.tif")}", text);
    }

    // With what is added to it until it is whole, a name of 210 bytes would be longer than a system takes.
    [Fact]
    public void NamesInOtherScriptsMayBeLong()
    {
        string name = new('\u732B', 70);
        ImageWriter.WritePng(TinyData.Pattern(40, 30), _data.At("in", name + ".png"));
        Segment([_data.At("in")], _data.At("out"));
        Assert.True(File.Exists(_data.At("out", name + ".overlay.png")));
        ImageWriter.WritePng(TinyData.Pattern(40, 30), _data.At("in", new string('x', 245) + ".png"));
        Assert.Contains(
            "would have a name of 257 bytes, expected at most 255", CommandLine.Refuses(Line([_data.At("in")], _data.At("other"))));
        Assert.False(Directory.Exists(_data.At("other")));
    }

    private static string[] Line(string[] images, string output, params string[] more) =>
    [
        "segment", .. images, "--clip", TinyClip.Folder, "--classes", "cat,dog", "--out", output, "--size", "96", "--window", "96", "--stride", "96",
        "--template", "a {class}", "--threads", "1", .. more,
    ];

    private static void Segment(string[] images, string output, params string[] more)
    {
        (int code, _, string error) = CommandLine.Run(Line(images, output, more));
        Assert.Equal((0, ""), (code, error));
    }
}
