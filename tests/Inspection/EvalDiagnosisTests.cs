using System.Text.Json;
using System.Xml.Linq;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Inspection;

/// <summary>`ldvc eval`: the confusion matrix in the JSON and on the page, and what it says about names.</summary>
public sealed class EvalDiagnosisTests
{
    [Fact]
    public void TheMatrixIsInTheJsonAndOnThePage()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), json = data.At("eval.json"), page = data.At("eval.html");
        SmallRun.Train(config, run, "train.iterations=1");
        string[] eval = [.. SmallRun.Verb("eval", config), "--checkpoint", SmallRun.Checkpoint(run, 1), "--json", json, "--report", page];
        (int code, string text, string error) = CommandLine.Run(eval);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("mostly taken for", text);
        JsonElement root = JsonDocument.Parse(File.ReadAllText(json)).RootElement, matrix = root.GetProperty("confusion");
        JsonElement[] rows = [.. matrix.GetProperty("pixels").EnumerateArray()];
        JsonElement[] classes = [.. root.GetProperty("scores").GetProperty("classes").EnumerateArray()];
        Assert.Equal(4, rows.Length);
        Assert.Equal(
            ["cat", "dog", "blue sky", "traffic cone", "background"], matrix.GetProperty("predicted").EnumerateArray().Select(n => n.GetString()));
        for (int c = 0; c < rows.Length; c++)
        {
            long[] row = [.. rows[c].EnumerateArray().Select(v => v.GetInt64())];
            Assert.Equal(5, row.Length);
            Assert.Equal(classes[c].GetProperty("pixels").GetInt64(), row.Sum());
            JsonElement mistake = root.GetProperty("mostly_taken_for")[c];
            long most = row.Where((_, p) => p != c).Max();
            Assert.Equal(
                most == 0 ? (double?)null : (double)most / row.Sum(),
                mistake.GetProperty("share").ValueKind == JsonValueKind.Null ? (double?)null : mistake.GetProperty("share").GetDouble());
        }

        // The page is XML: one tinted cell for each share that can be seen, two pictures with truth and labels.
        XElement html = XElement.Parse(string.Join('\n', File.ReadLines(page).Skip(1)));
        XElement svg = Assert.Single(html.Descendants("svg"));
        int cells = rows.Sum(
            row => row.EnumerateArray().Count(v => v.GetInt64() >= 0.005 * row.EnumerateArray().Sum(p => p.GetInt64()) && v.GetInt64() > 0));
        Assert.Equal(cells, svg.Elements("rect").Count(r => r.Element("title") is not null));
        Assert.Equal(6, html.Descendants("img").Count());
    }

    [Fact]
    public void EvalSaysWhenNamesAndClassesDiffer()
    {
        using var data = new TinyData();
        string config = SmallRun.OwnConfig(data), run = data.At("run"), json = data.At("eval.json");
        SmallRun.Train(config, run, "train.iterations=1");
        data.Text("cat\ndog\nblue sky\ntraffic cone\nowl\n", "mine", "classes.txt");
        (int code, string text, _) = CommandLine.Run([.. SmallRun.Verb("eval", config), "--checkpoint", SmallRun.Checkpoint(run, 1), "--json", json]);
        Assert.Equal(0, code);
        Assert.Contains("note: the class names differ from the checkpoint's: 'owl' of the data set is not in the checkpoint", text);
        Assert.Contains("note: no pixel of 'owl' occurs, so its score says nothing", text);
        Assert.Contains("note: no pixel of 'owl' occurs", SmallRun.Train(config, data.At("more"), "train.iterations=1"));
        Assert.Contains("other-names", JsonDocument.Parse(File.ReadAllText(json)).RootElement.GetProperty("notes").EnumerateArray()
            .Select(n => n.GetProperty("kind").GetString()));
    }

    [Fact]
    public void AReportThatCannotBeWrittenIsRefusedFirst()
    {
        using var data = new TinyData();
        string refused = CommandLine.Refuses(
            "eval", "x.yaml", "--checkpoint", "c", "--report", data.At("none", "report.html").Replace("none", "no/ne", StringComparison.Ordinal));
        Assert.Contains("--report: expected a file in a folder that exists", refused);
    }
}
