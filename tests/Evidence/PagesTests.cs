using System.Xml.Linq;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Pages;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Evidence;

/// <summary>Pages show what the ledger holds, digit for digit.</summary>
public sealed class PagesTests
{
    private const int MostLines = 25;

    [Fact]
    public void TheRepositorysPagesSayWhatTheLedgerSays()
    {
        IReadOnlyList<string> problems = LedgerPages.Check(ConfigFiles.Repository, BitsHistory.Own);
        Assert.True(problems.Count == 0, "run 'dotnet run -c Release --project bench -- tables':\n" + string.Join('\n', problems));
    }

    [Fact]
    public void TheReadmesResultsAreShort()
    {
        string[] lines = File.ReadAllLines(Path.Combine(ConfigFiles.Repository, "README.md"));
        int start = Array.IndexOf(lines, "## Results"), end = Array.FindIndex(
            lines, start + 1, line => line.StartsWith("## ", StringComparison.Ordinal));
        Assert.InRange(lines[(start + 1)..end].Count(line => line.Length > 0 && !line.StartsWith("<!--", StringComparison.Ordinal)), 5, MostLines);
    }

    [Fact]
    public void AChangedDigitIsFoundAndWrittenAnew()
    {
        using var folder = Repository("# Title\n\n<!-- ledger: small summary, claims -->\nold\n<!-- ledger end -->\n\nThe end.\n");
        BitsChange bits = BitsHistory.Own;
        Assert.StartsWith(
            "README.md: line 4: expected '|  | mIoU(S) |", Assert.Single(LedgerPages.Check(folder.Root, bits)), StringComparison.Ordinal);
        Assert.Equal(["README.md"], LedgerPages.Write(folder.Root, bits));
        Assert.Empty(LedgerPages.Check(folder.Root, bits));
        Assert.Empty(LedgerPages.Write(folder.Root, bits));
        string page = File.ReadAllText(folder.File("README.md"));
        string[] expected =
        [
            "# Title", "", "<!-- ledger: small summary, claims -->", "|  | mIoU(S) | mIoU(U) | hIoU | seeds |", "| --- | ---: | ---: | ---: | ---: |",
            "| CLIP, no training | 50.0 | 30.0 | 40.0 | - |",
            "| ZegCLIP | 70.0 ± 0.0 | 50.0 ± 0.0 | 60.0 ± 0.0 | 3 |",
            "| LDVC | 75.0 ± 1.0 | 55.0 ± 1.0 | 65.0 ± 1.0 | 3 |",
            "| LDVC minus ZegCLIP | +5.0 (+2.5 to +7.5) | +5.0 (+2.5 to +7.5) | +5.0 (+2.5 to +7.5) | 3 |", "",
        ];
        Assert.StartsWith(string.Join('\n', expected), page, StringComparison.Ordinal);
        Assert.Contains(
            "[results/small.json](results/small.json): `ldvc ablate configs/evidence/small.yaml --seeds 2`; commit 0123456; Some CPU, 2 cores,",
            page);
        Assert.Contains("- mIoU(U): LDVC is ahead; LDVC minus ZegCLIP is +5.0 points", page);
        Assert.EndsWith("<!-- ledger end -->\n\nThe end.\n", page, StringComparison.Ordinal);

        File.WriteAllText(folder.File("README.md"), page.Replace("| 55.0 ± 1.0 |", "| 55.1 ± 1.0 |", StringComparison.Ordinal));
        string problem = Assert.Single(LedgerPages.Check(folder.Root, bits));
        Assert.StartsWith("README.md: line 8: expected ", problem, StringComparison.Ordinal);
        Assert.Contains("55.0 ± 1.0", problem);
        Assert.Contains("55.1 ± 1.0", problem);
    }

    [Fact]
    public void StepsAreOverTheRowBeforeAndGainsOverTheFirst()
    {
        LedgerEntry entry = Entries.Comparison(4, 5, 6);
        LedgerRow last = new("more", "More", true, [.. entry.Rows[2].Runs.Select(run => Entries.Run(run.Seed, 0.57))]);
        var input = new ViewInput("small", entry with { Rows = [.. entry.Rows, last] }, "");
        string[] Lines(string view) => [.. LedgerViews.All.Single(one => one.Name == view).Render(input).Lines];
        string seven = "+7.0 (+7.0 to +7.0)", two = "+2.0 (-0.5 to +4.5)";
        Assert.Contains($"| More minus ZegCLIP | {seven} | {seven} | {seven} | {seven} | 3 |", Lines("gain"));
        Assert.Contains($"| More minus LDVC | {two} | {two} | {two} | {two} | 3 |", Lines("steps"));
        Assert.Equal(Lines("gain")[..3], Lines("steps")[..3]);
    }

    [Fact]
    public void WhatWasMeasuredBeforeTheArithmeticChangedIsNotShown()
    {
        using var folder = Repository("<!-- ledger: small gain -->\n<!-- ledger end -->\n");
        LedgerPages.Write(folder.Root, BitsHistory.Own);
        var later = new BitsChange("2026-12-01", "Sums are taken otherwise.", new SortedDictionary<string, string> { ["128"] = "x" });
        string problem = Assert.Single(LedgerPages.Check(folder.Root, later));
        Assert.Contains($"bits {BitsHistory.Own.Id}, but they are {later.Id} since 2026-12-01 (Sums are taken otherwise.)", problem);
        Assert.Contains("run 'ldvc ablate configs/evidence/small.yaml --seeds 2 --record small' again", problem);
        Assert.Throws<InputException>(() => LedgerPages.Write(folder.Root, later));

        // Other devices have another arithmetic; and what no page shows is history.
        Ledger.Write(folder.File("results"), "small", Entries.Comparison(4, 5, 6) with { Device = "NVIDIA" });
        LedgerPages.Write(folder.Root, later);
        Assert.Empty(LedgerPages.Check(folder.Root, later));
        File.WriteAllText(folder.File("README.md"), "nothing\n");
        Assert.Empty(LedgerPages.Check(folder.Root, later));
    }

    [Theory]
    [InlineData("<!-- ledger: other summary -->\n<!-- ledger end -->", "shows the ledger's entry 'other', which cannot be read")]
    [InlineData("<!-- ledger: small everything -->\n<!-- ledger end -->", "expected views out of scores, summary, gain, steps, claims, curve, speed, "
        + "speed-all, source, found 'everything'")]
    [InlineData("<!-- ledger: small speed -->\n<!-- ledger end -->", "view 'speed' expected an entry of peers, found 'small' of ablate")]
    [InlineData("<!-- ledger: ../small summary -->\n<!-- ledger end -->", "expected a name of at most 64 letters")]
    [InlineData("<!-- ledger: small summary -->\ntext", "line 1: expected '<!-- ledger: ENTRY VIEW, VIEW -->'")]
    [InlineData("<!-- ledger: small summary -->\n<!-- ledger: small gain -->\n<!-- ledger end -->", "without an end")]
    [InlineData("<!-- ledger small -->\n<!-- ledger end -->", "line 1: expected '<!-- ledger: ENTRY VIEW, VIEW -->'")]
    public void WhatCannotBeShownIsSaid(string page, string expected)
    {
        using var folder = Repository(page);
        Assert.Contains(expected, Assert.Single(LedgerPages.Check(folder.Root, BitsHistory.Own)));
    }

    [Fact]
    public void CurvesAreAPictureATableAndSentences()
    {
        using var folder = Repository("none\n", "<!-- ledger: small curve -->\n<!-- ledger end -->\n");
        LedgerEntry entry = Entries.Comparison(1, 2);
        Ledger.Write(folder.File("results"), "small", entry with
        {
            Rows = [.. entry.Rows.Select(row =>
                row with { Runs = [.. row.Runs.Select(run => row.Trained ? Entries.Run(run.Seed, 0.5, 0.2 + (0.01 * run.Seed), 0.5) : run)] })],
        });
        Assert.Equal(["docs/images/curve-small.svg", "docs/page.md"], LedgerPages.Write(folder.Root, BitsHistory.Own));
        Assert.Empty(LedgerPages.Check(folder.Root, BitsHistory.Own));
        string page = File.ReadAllText(folder.File("docs/page.md"));
        Assert.Contains("](images/curve-small.svg)", page);
        Assert.Contains("[results/small.json](../results/small.json)", page);
        Assert.Contains("after 50 and 100 steps the two are not told apart", page);
        XElement picture = XElement.Parse(File.ReadAllText(folder.File("docs/images/curve-small.svg")));
        string[] Classes(string name) =>
            [.. picture.Descendants().Where(e => e.Name.LocalName == name).Select(e => (string?)e.Attribute("class") ?? "")];
        Assert.Equal(["band s1", "band s2", "line s0", "line s1", "line s2"], Classes("path").Order(StringComparer.Ordinal));
        Assert.Equal(["key s0", "key s1", "key s2"], Classes("line").Where(c => c.StartsWith("key", StringComparison.Ordinal)));

        File.AppendAllText(folder.File("docs/images/curve-small.svg"), " ");
        Assert.Equal("docs/images/curve-small.svg: is not what the ledger says", Assert.Single(LedgerPages.Check(folder.Root, BitsHistory.Own)));
    }

    [Fact]
    public void TimesStandUnderTheirEngines()
    {
        using var folder = Repository("<!-- ledger: peers speed -->\n<!-- ledger end -->\n");
        LedgerTiming Time(string work, string engine, double seconds) =>
            new(work, engine, engine == "ldvc" ? "this repository" : engine + " 1", seconds, seconds, seconds, 400.4, 1, 1, 0);
        Ledger.Write(folder.File("results"), "peers", Entries.Comparison() with
        {
            Kind = LedgerKind.Peers,
            Command = "bench peers",
            Rows = [],
            Timings = [Time("step-voc", "ldvc", 1.581), Time("step-voc", "pytorch", 3.09), Time("encoder-224", "ldvc", 0.0861),
                Time("encoder-224", "onnxruntime", 0.0101), Time("gemm-1", "libtorch", 1)],
        });
        LedgerPages.Write(folder.Root, BitsHistory.Own);
        string page = File.ReadAllText(folder.File("README.md"));
        Assert.Contains("| work | Ldvc | ONNX Runtime | PyTorch |\n| --- | ---: | ---: | ---: |\n", page);
        Assert.Contains("| encoder forward, 224 x 224 | 86 ms, 400 MiB | 10.1 ms, 400 MiB | - |\n| LDVC training step, 15 classes | 1.58 s, 400 MiB "
            + "| - | 3.09 s, 400 MiB |\n", page);
        Assert.Contains("Against onnxruntime 1; pytorch 1.", page.ReplaceLineEndings(" "));
    }

    private static TempFolder Repository(string readme, string page = "nothing\n")
    {
        var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("docs"));
        File.WriteAllText(folder.File("Ldvc.sln"), "");
        File.WriteAllText(folder.File("README.md"), readme);
        File.WriteAllText(folder.File("docs/page.md"), page);
        Ledger.Write(folder.File("results"), "small", Entries.Comparison(4, 5, 6));
        return folder;
    }
}
