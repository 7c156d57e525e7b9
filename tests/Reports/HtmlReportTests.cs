using System.Xml.Linq;
using Ldvc.Imaging;
using Ldvc.Lab.Reports;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using SkiaSharp;
using Xunit;

namespace Ldvc.Tests.Reports;

public class HtmlReportTests
{
    private const string Nasty = "<script>alert('x')</script> & \"quotes\" \u0001\ud800 ä ± ☃";

    [Fact]
    public void EverythingGivenIsEscapedAndTheDocumentIsWellFormed()
    {
        string html = Everything(Nasty).ToHtml();
        XDocument document = Parse(html);
        Assert.Empty(document.Descendants("script"));
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain('\u0001', html);
        Assert.Equal("<script>alert('x')</script> & \"quotes\" \ufffd\ufffd ä ± ☃", document.Descendants("h1").Single().Value);
        Assert.Equal(document.Descendants("h1").Single().Value, document.Descendants("img").First().Attribute("alt")!.Value);
    }

    [Fact]
    public void NothingIsLoadedFromElsewhere()
    {
        XDocument document = Parse(Everything("plain").ToHtml());
        Assert.DoesNotContain(document.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe");
        Assert.All(document.Descendants().Attributes("src"), a => Assert.StartsWith("data:image/", a.Value));
        Assert.Empty(document.Descendants().Attributes("href"));
        Assert.DoesNotContain("url(", ReportStyle.Css);
        Assert.DoesNotContain("@import", ReportStyle.Css);
    }

    [Fact]
    public void PicturesComeBackExactly()
    {
        RgbImage image = new SceneDataset("val", 3).ReadImage(1);
        XDocument document = Parse(new HtmlReport("t").AddPictureRow("row", new ReportPicture("p", image)).ToHtml());
        string source = document.Descendants("img").Single().Attribute("src")!.Value;
        const string prefix = "data:image/png;base64,";
        Assert.StartsWith(prefix, source);
        using SKBitmap bitmap = SKBitmap.Decode(Convert.FromBase64String(source[prefix.Length..]));
        Assert.Equal((128, 128), (bitmap.Width, bitmap.Height));
        for (int i = 0; i < 128 * 128; i += 97)
        {
            SKColor colour = bitmap.GetPixel(i % 128, i / 128);
            Assert.Equal((image.Pixels[3 * i], image.Pixels[(3 * i) + 1], image.Pixels[(3 * i) + 2]), (colour.Red, colour.Green, colour.Blue));
        }
    }

    [Theory]
    [InlineData("cat", "cat")]
    [InlineData("wwwwwwwwww", "wwww\u2026")]
    [InlineData("iiiiiiiiii", "iiiiiiiiii")]
    [InlineData("\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600", "\U0001F600\U0001F600\U0001F600\u2026")]
    public void NamesOfADrawingAreCutByTheirWidth(string name, string expected) => Assert.Equal(expected, TextWidth.Cut(name, 5));

    [Fact]
    public void TablesHoldTheirCellsAndAlignNumbers()
    {
        var report = new HtmlReport("t");
        report.AddTable("results", ["method", "hIoU"], [["ldvc", "84.3 ± 1.2"], ["zegclip", "-"]]);
        XDocument document = Parse(report.ToHtml());
        Assert.Equal(["ldvc", "84.3 ± 1.2", "zegclip", "-"], document.Descendants("td").Select(e => e.Value));
        Assert.Equal([null, "number", null, "number"], document.Descendants("td").Select(e => e.Attribute("class")?.Value));
        Assert.Throws<ArgumentException>(() => report.AddTable("bad", ["a", "b"], [["1"]]));
    }

    [Fact]
    public void ClassBarsHaveTheirWidths()
    {
        var report = new HtmlReport("t").AddClassTable("c", "IoU", [new("cat", 0.625, false), new("cow", double.NaN, true), new("odd", 1.5, true)]);
        XDocument document = Parse(report.ToHtml());
        string[] widths = [.. document.Descendants("div").Attributes("style").Select(a => a.Value)];
        Assert.Equal(["width:62.5%", "width:0%", "width:100%"], widths);
        Assert.Contains(document.Descendants("td"), e => e.Value == "absent");
    }

    [Fact]
    public void SaveReplacesTheFileAndLeavesNothingBeside()
    {
        string folder = Directory.CreateTempSubdirectory("ldvc-report").FullName;
        try
        {
            string path = Path.Combine(folder, "new", "report.html");
            new HtmlReport("first").Save(path);
            new HtmlReport("second ☃").Save(path);
            Assert.Contains("second ☃", File.ReadAllText(path));
            Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));

            // A folder stands where the file should go.
            string blocked = Path.Combine(folder, "new");
            InputException error = Assert.Throws<InputException>(() => new HtmlReport("third").Save(blocked));
            Assert.Contains(blocked, error.Message);
            Assert.Empty(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static HtmlReport Everything(string text)
    {
        var image = new RgbImage(4, 4);
        return new HtmlReport(text, text)
            .AddHeading(text)
            .AddParagraph(text)
            .AddCards(new ReportCard(text, text, text, true), new ReportCard(text, "1"))
            .AddTable(text, [text, "x"], [[text, "1"]])
            .AddClassTable(text, text, [new ClassRow(text, 0.5, true)])
            .AddLegend(new LegendEntry(text, 1, 2, 3))
            .AddPictureRow(text, new ReportPicture(text, image), new ReportPicture("large", new RgbImage(300, 200)))
            .AddLinePlot(text, text, text, false, new PlotSeries(text, [(0, 1), (1, 2)]), new PlotSeries(text, []))
            .AddHowMade((text, text));
    }

    private static XDocument Parse(string html)
    {
        const string doctype = "<!DOCTYPE html>";
        Assert.StartsWith(doctype, html);
        return XDocument.Parse(html[doctype.Length..]);
    }
}
