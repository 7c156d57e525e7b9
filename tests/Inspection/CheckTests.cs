using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Data;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Inspection;

/// <summary>`ldvc check`: silence about good data, and each fault by itself.</summary>
public sealed class CheckTests
{
    [Fact]
    public void CleanDataIsCleanAndCounted()
    {
        using var data = new CheckFolder();
        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(0, code);
        Assert.Contains("0 errors, 0 warnings", text);
        Assert.Contains("3 pictures of 12x10, 25.0 % of the pixels unlabelled", text);
        Assert.Contains("names were not looked at: clip.path", text);
        Assert.Equal(0, json.GetProperty("exit_code").GetInt32());
        JsonElement training = json.GetProperty("parts")[0];
        Assert.Equal("training", training.GetProperty("part").GetString());
        Assert.Equal(360, training.GetProperty("pixels").GetInt64());
        Assert.Equal(90, training.GetProperty("unlabelled_pixels").GetInt64());
        foreach (JsonElement row in training.GetProperty("classes").EnumerateArray())
        {
            Assert.Equal(90, row.GetProperty("pixels").GetInt64());
            Assert.Equal(3, row.GetProperty("pictures").GetInt32());
        }
    }

    [Fact]
    public void FilesOfNoPictureAreSaid()
    {
        using var data = new CheckFolder();
        File.Delete(data.At("train.txt"));
        File.Delete(data.At("val.txt"));
        data.Text("images/notes.txt");
        Assert.DoesNotContain("left out", data.Check().Out);
        File.Delete(data.At("images", "c.png"));
        data.Text("images/x.TIF");
        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(1, code);
        Assert.Contains(
            "warning: training: 2 files are left out, as masks without a picture or pictures in formats that are not read: "
                + $"{data.At("images", "x.TIF")}, {data.At("masks", "c.png")}",
            text);
        Assert.Contains(json.GetProperty("warnings").EnumerateArray(), w => w.GetProperty("kind").GetString() == "left-out");

        // A list says which pictures are meant.
        data.Text("train.txt", "a", "b");
        data.Text("val.txt", "d", "e");
        Assert.Contains("1 file is left out", data.Check().Out);
    }

    // Columns of a list that have slipped.
    [Fact]
    public void AMaskOfTwoPicturesIsSaid()
    {
        using var data = new CheckFolder();
        data.Text("train.txt", "images/a.png masks/a.png", "images/b.png masks/a.png", "images/c.png masks/c.png");
        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(1, code);
        string sentence = $"2 pictures have a mask that is another picture's, too: {data.At("masks", "a.png")} is that of 'a' and 'b'";
        Assert.Contains($"warning: training: {sentence}", text);
        JsonElement warning = json.GetProperty("warnings").EnumerateArray().Single(w => w.GetProperty("kind").GetString() == "shared-masks");
        Assert.Equal(["a", "b"], warning.GetProperty("items").EnumerateArray().Select(item => item.GetString()!));
        Assert.EndsWith(sentence, Assert.Single(MaskWarnings.Of(FolderDataset.Open(data.Root, "train"))));
        Assert.Empty(MaskWarnings.Of(FolderDataset.Open(data.Root, "val")));
    }

    [Fact]
    public void SizesAreTheSmallestTheMedianAndTheLargest()
    {
        using var data = new CheckFolder();
        data.Picture("a", 9, 4);
        data.Mask("a", 9, 4, 0, 1, 2);
        data.Picture("b", 20, 30);
        data.Mask("b", 20, 30, 0, 1, 2);
        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(0, code);
        Assert.Contains("3 pictures of 9x4 to 20x30 (median 12x10)", text);
        Assert.Equal("[20,30]", json.GetProperty("parts")[0].GetProperty("largest").ToString().Replace(" ", "", StringComparison.Ordinal)
            .Replace("\n", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a", "training", "1 seen class has no pixel, so that training cannot learn it: 'sky'")]
    [InlineData("d", "validation", "1 class has no pixel, so that no score is of it: 'sky'")]
    public void AClassWithoutAPixel(string first, string part, string expected)
    {
        using var data = new CheckFolder();
        foreach (string id in first == "a" ? new[] { "a", "b", "c" } : ["d", "e"])
        {
            data.Mask(id, 12, 10, 0, 1, 255);
        }

        JsonElement warning = Only(data.Check(), "class-without-pixels", part);
        Assert.Equal(expected, warning.GetProperty("text").GetString());
        Assert.Equal("sky", warning.GetProperty("items")[0].GetString());
    }

    [Fact]
    public void APictureWithoutALabel()
    {
        using var data = new CheckFolder();
        data.Mask("b", 12, 10, 255);
        JsonElement warning = Only(data.Check(), "picture-without-labels", "training");
        Assert.Equal("1 picture has no labelled pixel: 'b'", warning.GetProperty("text").GetString());
    }

    [Fact]
    public void ValuesOutsideTheListAreAllListed()
    {
        using var data = new CheckFolder();
        data.Mask("a", 12, 10, 0, 1, 2, 3, 200);
        data.Mask("c", 12, 10, 0, 1, 2, 3);
        (int code, string text, JsonElement json) result = data.Check();
        JsonElement warning = Only(result, "values-outside", "training");
        Assert.Contains("2 stored values are no class (the list has 3)", warning.GetProperty("text").GetString());
        Assert.Contains($"3 (54 pixels in 2 masks, e.g. {data.At("masks", "a.png")}), 200 (24 pixels in 1 mask", result.text);
        JsonElement values = result.json.GetProperty("parts")[0].GetProperty("values_outside");
        Assert.Equal([3, 200], values.EnumerateArray().Select(v => v.GetProperty("value").GetInt32()));
        Assert.Equal(54, values[0].GetProperty("pixels").GetInt64());
        Assert.Equal(2, values[0].GetProperty("masks").GetInt32());
    }

    [Fact]
    public void PicturesInBothPartsAreFoundByTheirContent()
    {
        using var data = new CheckFolder();
        File.Copy(data.At("images", "b.png"), data.At("images", "e.png"), overwrite: true);
        JsonElement warning = Only(data.Check(), "shared-pictures", null);
        Assert.Contains("1 of 2 validation pictures are training pictures", warning.GetProperty("text").GetString());
        Assert.Contains("'e' = training's 'b'", warning.GetProperty("text").GetString());

        // The same part for both.
        Only(data.Check("data.val_part=train"), "shared-pictures", null);
    }

    [Fact]
    public void MasksOfZeroAnd255AreSaid()
    {
        using var data = new CheckFolder("cat");
        foreach (string id in new[] { "a", "b", "c", "d", "e" })
        {
            data.Mask(id, 12, 10, 0, 255, 255);
        }

        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(1, code);
        Assert.Equal(["training", "validation"], Warnings(json, "binary-masks").Select(w => w.GetProperty("part").GetString()));
        Assert.Contains("in all 3 masks all labelled pixels are 'cat', and a model that says so scores 100 %; stored are 0 ('cat'), 255 (no label); "
            + "where 255 is an object", text);

        // One mask of another tool among others that never use 255.
        using var mixed = new CheckFolder();
        foreach (string id in new[] { "a", "b" })
        {
            mixed.Mask(id, 12, 10, 0, 1, 2);
        }

        mixed.Mask("c", 12, 10, 0, 255);
        Assert.Contains("in 1 of 3 masks (e.g. ", Only(mixed.Check(), "binary-masks", "training").GetProperty("text").GetString());

        // All masks of one class, and values beside it that mean "no label".
        using var single = new CheckFolder("cat");
        foreach (string id in new[] { "a", "b", "c", "d", "e" })
        {
            single.Mask(id, 12, 10, 0, 1, 1);
        }

        Assert.Contains(
            "in all 3 masks all labelled pixels are 'cat', and a model that says so scores 100 %; stored are 0 (no label), 1 ('cat')",
            Warnings(single.Check("data.zero_is_ignored=true").Json, "one-class").First().GetProperty("text").GetString());

        // A picture of one class with a border is like any other where borders are 255.
        using var border = new CheckFolder();
        border.Mask("c", 12, 10, 0, 255);
        Assert.Equal(0, border.Check().Code);
    }

    [Fact]
    public void TrainAndEvalSayThatMasksAreZeroAnd255()
    {
        using var data = new CheckFolder("cat");
        foreach (string id in new[] { "a", "b", "c", "d", "e" })
        {
            data.Mask(id, 12, 10, 0, 255, 255);
        }

        string config = data.Arguments()[1], run = data.At("run");
        (int code, _, string error) = CommandLine.Run(SmallRun.Arguments(config, run, "train.iterations=1"));
        Assert.Equal(0, code);
        Assert.Contains("mine/train: in all 3 masks all labelled pixels are 'cat'", error);
        Assert.Contains("mine/val: in all 2 masks all labelled pixels are 'cat'", error);
        (code, _, error) = CommandLine.Run([.. SmallRun.Verb("eval", config), "--checkpoint", SmallRun.Checkpoint(run, 1)]);
        Assert.Equal(0, code);
        Assert.Contains("mine/val: in all 2 masks all labelled pixels are 'cat', and a model that says so scores 100 %; stored are 0 ('cat')", error);
    }

    [Fact]
    public void UnseenClassesWithTrainingPixelsCountInTheInductiveSettingOnly()
    {
        using var data = new CheckFolder();
        data.Text("unseen.txt", "dog");
        JsonElement warning = Only(data.Check(), "unseen-in-training", "training");
        Assert.Contains("'dog' (90 pixels in 3 pictures)", warning.GetProperty("text").GetString());
        Assert.Equal(0, data.Check("train.setting=transductive").Code);

        // Without them the data are clean: nobody expects an unseen class in training.
        foreach (string id in new[] { "a", "b", "c" })
        {
            data.Mask(id, 12, 10, 0, 2, 255);
        }

        Assert.Equal(0, data.Check().Code);
    }

    [Fact]
    public void NamesThatTheTokenizerBreaks()
    {
        using var data = new CheckFolder("cat", "dog", "xqzvkjw");
        JsonElement warning = Only(data.Check("clip.path=" + TinyClip.Folder), "broken-names", null);
        Assert.Equal(["xqzvkjw"], warning.GetProperty("items").EnumerateArray().Select(i => i.GetString()));
        using var plain = new CheckFolder();
        (int code, string text, JsonElement json) = plain.Check("clip.path=" + TinyClip.Folder);
        Assert.Equal(0, code);
        Assert.DoesNotContain("not looked at", text);
        Assert.Equal(3, json.GetProperty("names").GetArrayLength());

        // Weights without a vocabulary beside them.
        using var alone = new TinyData();
        File.Copy(TinyClip.Half, alone.At("clip", "ViT.pt"));
        (code, text, _) = plain.Check("clip.path=" + alone.At("clip", "ViT.pt"));
        Assert.Equal(0, code);
        Assert.Contains("there is no vocabulary", text);
    }

    [Fact]
    public void EveryBadFileIsListedAndTheRestIsCounted()
    {
        using var data = new CheckFolder();
        File.WriteAllText(data.At("images", "a.png"), "no picture");
        File.Delete(data.At("masks", "b.png"));
        data.Mask("d", 5, 5, 0, 1, 2);
        (int code, string text, JsonElement json) = data.Check("clip.path=" + data.At("none"));
        Assert.Equal(2, code);
        string[] errors = [.. json.GetProperty("errors").EnumerateArray().Select(e => e.GetString()!)];
        Assert.Equal(4, errors.Length);
        Assert.StartsWith(data.At("images", "a.png"), errors[0]);
        Assert.StartsWith(data.At("masks", "b.png"), errors[1]);
        Assert.Contains("5x5 pixels, expected 12x10", errors[2]);
        Assert.StartsWith("clip.path: ", errors[3]);
        Assert.All(errors, error => Assert.Contains("error: " + error, text));
        Assert.Equal(2, json.GetProperty("parts")[0].GetProperty("classes")[0].GetProperty("pictures").GetInt32());
    }

    [Fact]
    public void ManyErrorsAreCutOnTheTerminalOnly()
    {
        using var data = new CheckFolder();
        string[] ids = [.. Enumerable.Range(0, 30).Select(i => $"p{i}")];
        foreach (string id in ids)
        {
            data.Picture(id, 4, 4);
        }

        data.Text("train.txt", ids);
        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(2, code);
        Assert.Equal(30, json.GetProperty("errors").GetArrayLength());
        Assert.Contains("error: and 10 more; --json FILE lists all", text);
    }

    [Fact]
    public void AFileOfBothPartsIsListedOnce()
    {
        using var data = new CheckFolder();
        data.Text("val.txt", "a", "d");
        File.Delete(data.At("masks", "a.png"));
        (int code, string text, JsonElement json) = data.Check();
        Assert.Equal(2, code);
        Assert.StartsWith(data.At("masks", "a.png"), Assert.Single(json.GetProperty("errors").EnumerateArray()).GetString());
        Assert.Contains("1 error, ", text);
    }

    [Fact]
    public void APartThatCannotBeOpenedLeavesTheOther()
    {
        using var data = new CheckFolder();
        (int code, string text, JsonElement json) = data.Check("data.val_part=test");
        Assert.Equal(2, code);
        Assert.Contains("error: validation: ", text);
        Assert.Equal("training", Assert.Single(json.GetProperty("parts").EnumerateArray()).GetProperty("part").GetString());
        (code, _, json) = data.Check("data.root=" + data.At("none"));
        Assert.Equal(2, code);
        Assert.Single(json.GetProperty("errors").EnumerateArray());
    }

    [Fact]
    public void ThreadsMakeNoDifference()
    {
        using var data = new CheckFolder();
        data.Mask("a", 12, 10, 7);
        string[] arguments = [.. data.Arguments(), "--json", data.JsonFile];
        CommandLine.Run([.. arguments, "--threads", "1"]);
        string one = File.ReadAllText(data.JsonFile);
        CommandLine.Run([.. arguments, "--threads", "4"]);
        Assert.Equal(one, File.ReadAllText(data.JsonFile));
    }

    [Fact]
    public void CtrlCEndsIt()
    {
        using var data = new CheckFolder();
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(130, Application.Run([.. data.Arguments(), "--json", data.JsonFile], output, error, cancellation: stopped.Token));
        Assert.Equal("ldvc: interrupted." + Environment.NewLine, error.ToString());
        Assert.False(File.Exists(data.JsonFile));
    }

    [Fact]
    public void DrawnScenesAreChecked()
    {
        using var data = new TinyData();
        data.Text($"base: {SmallRun.Config("base")}\ntrain: {{setting: transductive}}\ndata: {{kind: synthetic, synthetic: {{train_count: 40, "
            + "val_count: 60}}\n", "scenes.yaml");
        (int code, string text, string error) = CommandLine.Run("check", data.At("scenes.yaml"));
        Assert.True(code is 0 or 1, text);
        Assert.Equal("", error);
        Assert.Contains("40 pictures of", text);
        Assert.Contains("60 pictures of", text);
    }

    private static JsonElement[] Warnings(JsonElement json, string kind) =>
        [.. json.GetProperty("warnings").EnumerateArray().Where(w => w.GetProperty("kind").GetString() == kind)];

    private static JsonElement Only((int Code, string Out, JsonElement Json) result, string kind, string? part)
    {
        Assert.Equal(1, result.Code);
        JsonElement warning = Assert.Single(result.Json.GetProperty("warnings").EnumerateArray());
        Assert.Equal((kind, part), (warning.GetProperty("kind").GetString(), warning.GetProperty("part").GetString()));
        Assert.Contains($"warning: {(part is null ? "" : part + ": ")}{warning.GetProperty("text").GetString()}", result.Out);
        Assert.Contains("0 errors, 1 warning", result.Out);
        return warning;
    }
}
