using System.Text.Json;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Verbs;

/// <summary>A folder of 300 classes with masks of 16 bits, from the check to the scores.</summary>
public sealed class ManyClassesTests : IDisposable
{
    private const int Classes = 300;
    private const int Size = 64;
    private static readonly int[] s_present = [3, 255, 256, 299];
    private readonly TinyData _data = new();

    public ManyClassesTests()
    {
        _data.Text(string.Join('\n', Enumerable.Range(0, Classes).Select(i => $"thing {i}")), "mine", "classes.txt");
        _data.Text("thing 256\nthing 7\n", "mine", "unseen.txt");
        _data.Text("a\nb\n", "mine", "train.txt");
        _data.Text("c\n", "mine", "val.txt");
        foreach (string id in new[] { "a", "b", "c" })
        {
            ImageWriter.WritePng(TinyData.Pattern(Size, Size, id[0]), _data.At("mine", "images", id + ".png"));
            Mask(id, i => i % 13 == 0 ? LabelMap16.Unlabelled : (ushort)s_present[(i / 16 % 2) + (2 * (i / Size / 16 % 2))]);
        }
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public void CheckCountsThem()
    {
        string json = _data.At("check.json");
        (int code, string text, string error) = CommandLine.Run([.. SmallRun.Verb("check", Config()), "--json", json]);
        Assert.Equal((1, ""), (code, error));
        JsonElement part = JsonDocument.Parse(File.ReadAllText(json)).RootElement.GetProperty("parts")[0];
        JsonElement[] counted = [.. part.GetProperty("classes").EnumerateArray()];
        Assert.Equal(Classes, counted.Length);
        for (int id = 0; id < Classes; id++)
        {
            Assert.Equal(s_present.Contains(id), counted[id].GetProperty("pixels").GetInt64() > 0);
        }

        Assert.Equal(2 * ((Size * Size / 13) + 1), part.GetProperty("unlabelled_pixels").GetInt64());
        Assert.Contains("classes have no pixel", text);
        Assert.DoesNotContain("of 8 bits", text);
    }

    // With few classes 255 is no label; a border in a mask of another tool would be the 256th class here.
    [Fact]
    public void BordersOf8BitsAreSaid()
    {
        LabelWriter.Write(TinyData.Labels(Size, Size, 3, 3, 3, 255), _data.At("mine", "masks", "b.png"), LabelPalette.Voc);
        (_, string text, _) = CommandLine.Run(SmallRun.Verb("check", Config()));
        string mask = _data.At("mine", "masks", "b.png");
        Assert.Contains(
            $"training: 1 mask of 8 bits holds 255 ({Size * Size / 4} pixels, e.g. {mask}), which is the class 'thing 255' in a list of 300", text);
        (_, text, _) = CommandLine.Run(SmallRun.Verb("check", Config(), "data.ignore=[255]"));
        Assert.DoesNotContain("of 8 bits", text);
    }

    [Theory]
    [InlineData("inductive")]
    [InlineData("transductive")]
    [InlineData("full")]
    public void TheyTrainAndAreScored(string setting)
    {
        string run = _data.At("run"), json = _data.At("scores.json"), report = _data.At("report.html");
        string[] settings = [$"train.setting={setting}", "train.iterations=2", "data.prefetch=1", "model.prompts.vision=2"];
        if (setting == "transductive")
        {
            string first = _data.At("first");
            SmallRun.Train(Config(), first, "train.iterations=2", "model.prompts.vision=2");
            settings = [.. settings, $"train.transductive.from={SmallRun.Checkpoint(first, 1)}", "train.transductive.iterations=2"];
        }

        SmallRun.Train(Config(), run, settings);
        (int code, string text, string error) = CommandLine.Run(
        [
            .. SmallRun.Verb("eval", Config(), settings), "--checkpoint", SmallRun.Checkpoint(run, 2), "--json", json, "--report", report,
        ]);
        Assert.Equal((0, ""), (code, error));
        JsonElement scores = JsonDocument.Parse(File.ReadAllText(json)).RootElement;
        JsonElement[] rows = [.. scores.GetProperty("scores").GetProperty("classes").EnumerateArray()];
        Assert.Equal(Classes, rows.Length);
        Assert.Equal(
            [.. s_present.Select(id => $"thing {id}")],
            [.. rows.Where(row => row.GetProperty("pixels").GetInt64() > 0).Select(row => row.GetProperty("name").GetString())]);
        JsonElement[] pairs = [.. scores.GetProperty("confusion").GetProperty("pairs").EnumerateArray()];
        Assert.All(pairs, pair => Assert.Contains(pair[0].GetInt32(), s_present));
        Assert.Equal((Size * Size) - (Size * Size / 13) - 1, pairs.Sum(pair => pair[2].GetInt64()));
        foreach (int id in s_present)
        {
            // A row's pixels are its class's, and what is on the diagonal is its accuracy.
            JsonElement[] row = [.. pairs.Where(pair => pair[0].GetInt32() == id)];
            long pixels = row.Sum(pair => pair[2].GetInt64()), right = row.Where(pair => pair[1].GetInt32() == id).Sum(pair => pair[2].GetInt64());
            Assert.Equal(rows[id].GetProperty("pixels").GetInt64(), pixels);
            Assert.Equal((double)right / pixels, rows[id].GetProperty("accuracy").GetDouble(), 1e-12);
        }

        Assert.Contains("thing 299", text);
        Assert.Contains("300 classes are too many for a picture of the matrix", File.ReadAllText(report));
        Assert.InRange(new FileInfo(report).Length, 10_000, 1_000_000);
    }

    [Fact]
    public void AValueBeyondTheListStopsTrainingWithTheFile()
    {
        Mask("a", i => i == 70 ? (ushort)Classes : (ushort)0);
        Mask("b", i => i == 70 ? (ushort)Classes : (ushort)0);
        (int code, _, string error) = CommandLine.Run(SmallRun.Arguments(Config(), _data.At("run")));
        Assert.Equal(2, code);
        Assert.Contains(".png: label value 300 at column 6, row 1, expected 0 to 299 or 65535 (300 classes)", error);
    }

    [Fact]
    public void MoreClassesThanLabelsAreRefused()
    {
        _data.Text(string.Join('\n', Enumerable.Range(0, 65536).Select(i => $"thing {i}")), "mine", "classes.txt");
        (int code, _, string error) = CommandLine.Run(SmallRun.Arguments(Config(), _data.At("run")));
        Assert.Equal(2, code);
        Assert.Contains("classes.txt: at least 65536 class names, expected 1 to 65535", error);
    }

    private string Config()
    {
        _data.Text($"base: {SmallRun.Config("base")}\ndata: {{kind: folder, root: {_data.At("mine")}}}\n", "mine.yaml");
        return _data.At("mine.yaml");
    }

    private void Mask(string id, Func<int, ushort> label) => LabelWriter.Write(
        new LabelMap16(Size, Size, [.. Enumerable.Range(0, Size * Size).Select(label)]), _data.At("mine", "masks", id + ".png"));
}
