using System.Text.Json;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>`ldvc segment` over folders and patterns.</summary>
public sealed class SegmentFolderTests : IDisposable
{
    private readonly TinyData _data = new();
    private readonly string _run;

    public SegmentFolderTests()
    {
        _run = _data.At("run");
        SmallRun.Train(SmallRun.OwnConfig(_data), _run, "train.iterations=1", "model.head=dot", "model.adapter_init=identity");
        foreach (string name in new[] { "a.png", "b/c.png", "b/d/e.jpg", "b/.hidden.png", "notes.txt" })
        {
            string path = _data.At(["in", .. name.Split('/')]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (name.EndsWith(".txt", StringComparison.Ordinal))
            {
                File.WriteAllText(path, "no picture");
            }
            else if (name.EndsWith(".jpg", StringComparison.Ordinal))
            {
                RealFormats.Jpeg(TinyData.Pattern(50, 40), path);
            }
            else
            {
                ImageWriter.WritePng(TinyData.Pattern(40, 30), path);
            }
        }
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public void AFolderKeepsItsStructureAndItsResultsAreNoInput()
    {
        // The results lie inside of the folder, and the run's folder is the checkpoint.
        string output = _data.At("in", "out");
        (int code, string text, string error) = Segment(_data.At("in"), output);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("3 images in", text, StringComparison.Ordinal);
        string[] expected = ["a", "b/c", "b/d/e"];
        Assert.Equal(expected, Done(output));
        (code, text, _) = Segment(_data.At("in"), output, "--skip-existing");
        Assert.Equal(0, code);
        Assert.Contains("3 of 3 images have results already", text, StringComparison.Ordinal);

        // Results of other classes, or with a part that is missing, are made anew.
        File.Delete(Path.Combine(output, "a.overlay.png"));
        Assert.Contains("2 of 3 images have results already", Segment(_data.At("in"), output, "--skip-existing").Output, StringComparison.Ordinal);
        (_, text, _) = CommandLine.Run("segment", _data.At("in"), "--checkpoint", _run, "--classes", "cat,zebra", "--out", output, "--skip-existing");
        Assert.Contains("0 of 3 images have results already", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*.png", "a")]
    [InlineData("**/*.png", "a b/c")]
    [InlineData("b/*/?.jpg", "b/d/e")]
    [InlineData("**", "a b/c b/d/e")]
    public void APatternChooses(string pattern, string expected)
    {
        string output = _data.At("out");
        Assert.Equal(0, Segment(Path.Combine(_data.At("in"), pattern), output).Code);
        string root = pattern.StartsWith("b/", StringComparison.Ordinal) ? "b/" : "";
        Assert.Equal(expected.Split(' ').Select(name => name[root.Length..]), Done(output));
    }

    [Fact]
    public void EveryFailureIsListedAndCostsNobodyElse()
    {
        File.WriteAllText(_data.At("in", "bad.png"), "not a picture");
        File.WriteAllText(_data.At("in", "b", "worse.jpg"), "");
        string json = _data.At("all.json");
        (int code, string text, string error) = Segment(_data.At("in"), _data.At("out"), "--json", json);
        Assert.Equal(2, code);
        Assert.Contains("2 failed", text, StringComparison.Ordinal);
        Assert.Matches("(?m)^failed: .*bad.png: not a picture.*  \\[[1-5]/5\\]$", text);
        Assert.Contains("bad.png: not a picture", text, StringComparison.Ordinal);
        Assert.Contains("worse.jpg: ", text, StringComparison.Ordinal);
        Assert.Contains("(and 1 more of the 5 images)", error, StringComparison.Ordinal);
        JsonElement[] all = [.. JsonDocument.Parse(File.ReadAllText(json)).RootElement.EnumerateArray()];
        Assert.Equal(2, all.Count(e => e.TryGetProperty("error", out _)));
        Assert.Equal(3, all.Count(e => e.TryGetProperty("classes", out _)));
        Assert.Equal(["a", "b/c", "b/d/e"], Done(_data.At("out")));
    }

    [Fact]
    public void NamesThatAreNotWhatTheySeemAreSaid()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "names there hold no line breaks");
        File.CreateSymbolicLink(_data.At("in", "dead.png"), "gone.png");
        File.Copy(_data.At("in", "a.png"), _data.At("in", "x\nldvc: all is well.png"));
        (int code, string text, string error) = Segment(_data.At("in"), _data.At("out"));
        Assert.Equal(2, code);
        Assert.Contains($"dead.png: file not found, but a link to {_data.At("in", "gone.png")}, which is not there", error, StringComparison.Ordinal);
        Assert.Contains("x?ldvc: all is well.png  ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\nldvc:", text, StringComparison.Ordinal);
        Assert.Contains(
            "f\uFFFD.png: file not found, as its name has bytes that are not UTF-8; expected another name",
            Segment(_data.At("in", "f\uFFFD.png"), _data.At("out")).Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void EveryPartIsWritten()
    {
        string output = _data.At("out");
        Assert.Equal(0, Segment(_data.At("in", "a.png"), output, "--save", "plain, masks, probabilities, coco", "--ignore-classes", "wall").Code);
        Assert.False(File.Exists(Path.Combine(output, "a.overlay.png")));
        LabelMap labels = LabelPng.Read(Path.Combine(output, "a.png"));
        RgbImage plain = ImageReader.Read(Path.Combine(output, "a.plain.png"));
        Assert.Equal((40, 30), (plain.Width, plain.Height));
        using (var archive = TensorArchive.Open(Path.Combine(output, "a.probabilities.safetensors")))
        {
            // All names count, those to be ignored, too.
            Assert.Equal([3L, 30, 40], archive.Entries["probabilities"].Shape);
            float[] values = archive.ReadFloat32("probabilities");
            Assert.All(labels.Labels.Select((label, i) => (label, i)).Where(p => p.label != 255), p =>
                Assert.True(values[(p.label * 1200) + p.i] >= Enumerable.Range(0, 3).Max(c => values[(c * 1200) + p.i]) - 2e-3f));
        }

        foreach (string mask in Directory.GetFiles(Path.Combine(output, "a.masks")))
        {
            int index = int.Parse(Path.GetFileName(mask)[..3], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(labels.Labels.Select(label => label == index ? (byte)255 : (byte)0), LabelPng.Read(mask).Labels);
        }

        JsonElement coco = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "coco.json"))).RootElement;
        Assert.Equal(["cat", "dog"], coco.GetProperty("categories").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        foreach (JsonElement annotation in coco.GetProperty("annotations").EnumerateArray())
        {
            int index = annotation.GetProperty("category_id").GetInt32() - 1;
            Assert.Equal(labels.Labels.Count(label => label == index), annotation.GetProperty("area").GetInt64());
        }

        Assert.Equal(["a.png"], FileNames(output));
        JsonElement numbers = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "a.json"))).RootElement;
        Assert.Equal("#800000", numbers.GetProperty("classes")[1].GetProperty("color").GetString());
    }

    // As in data sets: joined to the folder's name, wherever it is now.
    [Fact]
    public void CocosFileNamesAreBelowTheFolder()
    {
        string output = _data.At("out"), below = Directory.CreateDirectory(_data.At("in", "street", "night")).FullName;
        File.Copy(_data.At("in", "a.png"), Path.Combine(below, "c.PNG"));
        Assert.Equal(0, Segment(_data.At("in"), output, "--save", "coco").Code);
        string[] names = FileNames(output);
        Assert.Contains("street/night/c.PNG", names);
        Assert.All(names, name => Assert.True(File.Exists(_data.At("in", name)), name));
    }

    private static string[] FileNames(string output) =>
    [
        .. JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "coco.json"))).RootElement.GetProperty("images").EnumerateArray()
            .Select(image => image.GetProperty("file_name").GetString()!),
    ];

    [Theory]
    [InlineData("--backgruond 0.5", "there is no option '--backgruond'; did you mean --background?")]
    [InlineData("--window 60", "eval.window is 60")]
    [InlineData("--stride 90 --window 64", "--stride: expected at most the window of 64, found 90")]
    [InlineData("--size 3", "--size: expected a whole number from 16 to 8192")]
    [InlineData("--penalty 2", "--penalty: expected a number from 0 to 1")]
    [InlineData("--save masks,pictures", "--save: expected some of none, overlay, plain, masks, probabilities, coco, found 'pictures'")]
    [InlineData("--save coco --skip-existing", "--skip-existing: expected none with --save coco")]
    [InlineData("--ignore-classes cat", "cat")]
    public void WrongOptionsAreRefused(string options, string expected)
    {
        string output = _data.At("out");
        (int code, _, string error) = Segment(_data.At("in", "a.png"), output, options.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(output) && Directory.EnumerateFiles(output).Any());
    }

    // A list's file in the place of the names was a class that is called like the file.
    [Fact]
    public void AFileIsNoListOfNames()
    {
        string list = _data.At("names.csv");
        File.WriteAllText(list, "cat\ndog\n");
        string[] line = ["segment", _data.At("in", "a.png"), "--checkpoint", _run, "--out", _data.At("out")];
        string Refused(params string[] names) => CommandLine.Refuses([.. line, .. names]);
        Assert.Contains(
            $"--classes: expected names, found what looks like a file, '{list}'; a list in a file is for --classes-file.",
            Refused("--classes", list));
        Assert.Contains("what looks like a file", Refused("--classes", "@" + list));
        Assert.Contains("what looks like a file, 'gone.txt'", Refused("--classes", "gone.txt"));
        Assert.Contains(
            $"--ignore-classes: expected names, found what looks like a file, '{list}'.", Refused("--classes", "cat", "--ignore-classes", list));

        // Words with a full stop or a slash are names.
        Assert.Equal(0, CommandLine.Run([.. line, "--classes", "St. Bernard, and/or", "--ignore-classes", "node.js"]).Code);
    }

    // JPEGs, PNGs and BMPs have more endings than one.
    [Theory]
    [InlineData("x.jfif")]
    [InlineData("x.JPE")]
    [InlineData("x.apng")]
    [InlineData("x.dib")]
    public void EveryEndingOfAFormatThatIsReadIsAPicture(string name)
    {
        File.Copy(_data.At("in", "a.png"), _data.At("more", name));
        (int code, string text, _) = Segment(_data.At("more"), _data.At("out"));
        Assert.Equal(0, code);
        Assert.DoesNotContain("left out", text);
        Assert.Equal(["x"], Done(_data.At("out")));
        Assert.Equal(["x"], PictureFiles.Under(_data.At("more"), null, null).Keys);
    }

    [Fact]
    public void PathsHaveVariablesAndEmptyFoldersAreErrors()
    {
        Environment.SetEnvironmentVariable("LDVC_TEST_FOLDER", _data.At("in"));
        Assert.Equal(0, Segment("$LDVC_TEST_FOLDER/a.png", _data.At("out")).Code);
        Assert.Equal(0, Segment("${LDVC_TEST_FOLDER}/a.png", _data.At("out")).Code);
        Assert.Contains("LDVC_TEST_NOTHING in ", Segment("$LDVC_TEST_NOTHING/a.png", _data.At("out")).Error, StringComparison.Ordinal);
        Directory.CreateDirectory(_data.At("empty"));
        Assert.Contains("found a folder without any", Segment(_data.At("empty"), _data.At("out")).Error, StringComparison.Ordinal);
        Assert.Contains("found no file that fits the pattern", Segment(_data.At("in", "*.webp"), _data.At("out")).Error, StringComparison.Ordinal);
    }

    private (int Code, string Output, string Error) Segment(string input, string output, params string[] more) =>
        CommandLine.Run(["segment", input, "--checkpoint", _run, "--classes", "cat,dog", "--out", output, .. more]);

    private static IEnumerable<string> Done(string output) => Directory.GetFiles(output, "*.json", SearchOption.AllDirectories)
        .Select(path => Path.ChangeExtension(Path.GetRelativePath(output, path), null).Replace('\\', '/')).Order(StringComparer.Ordinal);
}
