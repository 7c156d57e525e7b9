using System.Globalization;
using System.Xml.Linq;
using Ldvc.Lab.Reports;
using Xunit;

namespace Ldvc.Tests.Reports;

public class LinePlotTests
{
    [Fact]
    public void PointsLieInsideTheAxesAndHigherValuesHigherUp()
    {
        List<(double X, double Y)> points = Points(Plot(false, [(0, 5), (100, 10), (200, 0)]));
        Assert.Equal(3, points.Count);
        Assert.All(points, p => Assert.InRange(p.X, 62, 706));
        Assert.All(points, p => Assert.InRange(p.Y, 12, 238));
        Assert.Equal((points[0].X + points[2].X) / 2, points[1].X, 1);
        Assert.Equal((points[1].Y + points[2].Y) / 2, points[0].Y, 1);
        Assert.True(points[1].Y < points[2].Y);
    }

    [Fact]
    public void LogarithmicAxisHasDecadesAndSkipsWhatHasNoLogarithm()
    {
        XElement svg = Plot(true, [(0, 100), (1, 1), (2, 0.01), (3, 0), (4, -1)]);
        List<(double X, double Y)> points = Points(svg);
        Assert.Equal(3, points.Count);
        Assert.Equal((points[0].Y + points[2].Y) / 2, points[1].Y, 1);
        string[] labels = [.. svg.Elements("text").Select(t => t.Value)];
        Assert.All<string>(["100", "10", "1", "0.1", "0.01"], t => Assert.Contains(t, labels));

        // Less than two decades: 1, 2, 5 steps that enclose the values.
        labels = [.. Plot(true, [(0, 0.7), (1, 3)]).Elements("text").Where(t => t.Attribute("dy") is not null).Select(t => t.Value)];
        Assert.Equal(["0.5", "1", "2", "5"], labels);
    }

    [Fact]
    public void LongSeriesAreAveragedAndGapsInterruptTheLine()
    {
        (double, double)[] many = [.. Enumerable.Range(0, 10_000).Select(i => ((double)i, i % 2 == 0 ? 1.0 : 3.0))];
        List<(double X, double Y)> points = Points(Plot(false, [.. many, (10_000, 0), (10_001, 4)]));
        Assert.InRange(points.Count, 100, 361);
        Assert.Equal(points[3].Y, points[40].Y, 1);

        string path = Plot(false, [(0, 1), (1, double.NaN), (2, 3), (double.PositiveInfinity, 1)]).Element("path")!.Attribute("d")!.Value;
        Assert.Equal(2, path.Count(c => c == 'M'));
        Assert.Equal(0, path.Count(c => c == 'L'));
    }

    [Fact]
    public void EmptyAndConstantSeriesDrawAnAxisWithoutNonsense()
    {
        foreach ((double, double)[] series in new (double, double)[][] { [], [(3, 7)], [(0, 1e9), (1, 1e9)], [(0, double.NaN)] })
        {
            foreach (bool logarithmic in new[] { false, true })
            {
                string text = Plot(logarithmic, series).ToString();
                Assert.DoesNotContain("NaN", text);
                Assert.DoesNotContain("∞", text);
                Assert.DoesNotContain("Infinity", text);
            }
        }
    }

    [Fact]
    public void AFlatLineAtTheBottomIsNotTheAxis()
    {
        XElement svg = XElement.Parse(LinePlot.Render(
            "step", "score", false, [new PlotSeries("flat", [(0, 35), (100, 35)]), new PlotSeries("rising", [(0, 46), (100, 78)])]));
        double axis = double.Parse(
            svg.Elements("line").Single(l => l.Attribute("class")!.Value == "axis").Attribute("y1")!.Value, CultureInfo.InvariantCulture);
        Assert.All(Points(svg), p => Assert.InRange(p.Y, 12, axis - 5));
    }

    // A path of one point draws nothing.
    [Theory]
    [InlineData(1, 7.0)]
    [InlineData(2, 1.0, double.NaN, 3.0)]
    [InlineData(1, 1.0, 2.0, double.NaN, 3.0, double.NaN)]
    [InlineData(0, 1.0, 2.0, double.NaN, 3.0, 4.0)]
    public void PointsWithoutNeighboursAreSeen(int dots, params double[] values)
    {
        XElement[] circles = [.. Plot(false, [.. values.Select((y, x) => ((double)x, y))]).Elements("circle")];
        Assert.Equal(dots, circles.Length);
        Assert.All(circles, dot => Assert.InRange(double.Parse(dot.Attribute("cy")!.Value, CultureInfo.InvariantCulture), 12, 238));
    }

    private static XElement Plot(bool logarithmic, (double X, double Y)[] points) =>
        XElement.Parse(LinePlot.Render("step", "loss", logarithmic, [new PlotSeries("a", points)]));

    private static List<(double X, double Y)> Points(XElement svg)
    {
        string[] parts = svg.Element("path")!.Attribute("d")!.Value.Split(['M', 'L'], StringSplitOptions.RemoveEmptyEntries);
        return [.. parts.Select(p => p.Split(' '))
            .Select(p => (double.Parse(p[0], CultureInfo.InvariantCulture), double.Parse(p[1], CultureInfo.InvariantCulture)))];
    }
}
