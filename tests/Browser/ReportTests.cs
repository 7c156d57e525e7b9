using System.Globalization;
using Ldvc.Imaging;
using Ldvc.Lab.Reports;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Browser;

/// <summary>The HTML reports of `ldvc eval`, `demo` and `ablate` in a real browser: every part that they are made of.</summary>
public sealed class ReportTests(Chromium browser) : IClassFixture<Chromium>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1280, false)]
    [InlineData(1280, true)]
    [InlineData(360, false)]
    [InlineData(360, true)]
    public void LightAndDarkWideAndNarrow(int width, bool dark)
    {
        _ = browser.Driver;
        string file = _folder.File("report.html");
        Everything().Save(file);
        browser.Open(new Uri(file).AbsoluteUri, width, dark: dark);
        PageCheck.Passes(browser, $"report {width}{(dark ? " dark" : "")}");
        Assert.Equal([], browser.Console());
        Assert.All(browser.Requests(), url => Assert.Matches("^(file|data|about):", url));

        // Letters of a drawing can be read: it is scrolled rather than shrunk.
        const string smallest = "const size = t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.clientWidth / "
            + "t.ownerSVGElement.viewBox.baseVal.width;"
            + "return Math.min(...[...document.querySelectorAll('svg.plot text')].map(size))";
        Assert.InRange(Convert.ToDouble(browser.Run(smallest), CultureInfo.InvariantCulture), 9, 30);
    }

    private static HtmlReport Everything()
    {
        string[] names = ["a cat", "<b>\"dog\"</b>", "\u05d7\u05ea\u05d5\u05dc", new string('w', 40), "traffic cone", "grass", "sky", "tent"];
        RgbImage picture = new SceneDataset("val", 1).Read(0).Image;
        var shares = new double[8, 9];
        for (int i = 0; i < 8; i++)
        {
            (shares[i, i], shares[i, 8]) = (0.7, 0.3);
        }

        MapCell[] cells = [new(0, 0, 0.5, 1), new(0.5, 0, 0.5, 1)];
        return new HtmlReport("Report", "with every part")
            .AddCards(new ReportCard("mIoU, seen", "68.1", "64.4 to 70.8"), new ReportCard("hIoU", "59.2", IsMain: true))
            .AddParagraph("Note: a sentence.").AddHeading("Classes")
            .AddTable(
                "in percent",
                ["class", "", "IoU", "found", "pixels", "mostly taken for", "share"],
                [.. names.Select(n => (string[])[n, "seen", "12.3", "45.6", "1234567", names[3], "7.8"])])
            .AddClassTable("IoU", "IoU", names.Select((n, i) => new ClassRow(n, i / 8.0, i % 2 == 0)))
            .AddMatrix("rows are classes", names, [.. names, "no class"], shares)
            .AddPictureRow("three", new ReportPicture("picture", picture), new ReportPicture("truth", picture), new ReportPicture("labels", picture))
            .AddChoiceMap("windows", picture, cells, [new ChoiceLayer("layer 1", [[0], [1, 0]])], 0)
            .AddLegend(names.Select((n, i) => new LegendEntry(n, (byte)(30 * i), 90, 120)))
            .AddLinePlot(
                "loss",
                "step",
                "loss",
                false,
                [new PlotSeries("a", [(0, 1), (10, 0.5), (20, 0.4)]), new PlotSeries("b", [(0, 2), (10, 1.5), (20, 0.9)])])
            .AddHowMade(("command", "ldvc eval config.yaml --checkpoint " + new string('x', 90)), ("seed", "0"));
    }
}
