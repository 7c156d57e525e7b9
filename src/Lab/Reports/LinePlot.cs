using System.Globalization;
using System.Text;

namespace Ldvc.Lab.Reports;

/// <summary>One line of a plot; points whose X or Y is not finite are left out and interrupt the line.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Points">Its points.</param>
/// <param name="Band">An interval around it, drawn as an area (on a linear axis); null = none.</param>
internal sealed record PlotSeries(
    string Name, IReadOnlyList<(double X, double Y)> Points, IReadOnlyList<(double X, double Low, double High)>? Band = null);

/// <summary>A line plot as inline SVG that takes its colours from the page.</summary>
internal static class LinePlot
{
    private const int Width = 720;
    private const int Height = 280;
    private const int Left = 62;
    private const int Right = 14;
    private const int Top = 12;
    private const int Bottom = 42;
    private const int Dot = 2;
    private const double BelowFlatLine = 0.06;

    /// <summary>More points than this are averaged in groups: the plot has no more columns to show.</summary>
    private const int MaxPoints = 360;

    /// <summary>The SVG element; with <paramref name="logarithmic"/> the y axis is log10 and points at or below zero are left out.</summary>
    public static string Render(string xLabel, string yLabel, bool logarithmic, IReadOnlyList<PlotSeries> series)
    {
        List<List<(double X, double Y)>> lines = [.. series.Select(s => Thin(s.Points, logarithmic))];
        List<(double X, double Y)> all = [.. lines.SelectMany(l => l).Where(p => !double.IsNaN(p.Y))];
        (double xLow, double xHigh) = Range(series.SelectMany(s => s.Points).Select(p => p.X).Where(double.IsFinite));
        List<List<(double X, double Low, double High)>> bands = [.. series.Select(s => logarithmic ? [] : Band(s.Band))];
        (double yLow, double yHigh) = Range(all.Select(p => p.Y).Concat(bands.SelectMany(b => b).SelectMany(p => new[] { p.Low, p.High })));
        double[] xTicks = Ticks(xLow, xHigh, 7);
        double[] yTicks = logarithmic ? LogTicks(yLow, yHigh) : Ticks(yLow, yHigh, 5);
        yLow = Math.Min(yLow, yTicks[0]);
        yHigh = Math.Max(yHigh, yTicks[^1]);
        if (lines.Any(line => line.Count > 0 && line.All(p => p.Y <= yLow)))
        {
            // A flat line at the bottom would be taken for the axis.
            yLow -= BelowFlatLine * (yHigh - yLow);
        }

        double X(double x) => Left + ((x - xLow) / (xHigh - xLow) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - ((y - yLow) / (yHigh - yLow) * (Height - Top - Bottom));
        string N(double v) => HtmlText.Number(v);

        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg class=\"plot\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{HtmlText.Escape($"{yLabel} over {xLabel}")}\">");
        foreach (double tick in yTicks)
        {
            string y = N(Y(tick));
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y}\" y2=\"{y}\"/>");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Left - 8}\" y=\"{y}\" dy=\"0.32em\" text-anchor=\"end\">{TickText(logarithmic ? Math.Pow(10, tick) : tick)}</text>");
        }

        foreach (double tick in xTicks)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{N(X(tick))}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{TickText(tick)}</text>");
        }

        svg.Append(
            CultureInfo.InvariantCulture,
            $"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom}\"/>");
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">{HtmlText.Escape(xLabel)}</text>");
        int middle = (Top + Height - Bottom) / 2;
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text transform=\"rotate(-90 14 {middle})\" x=\"14\" y=\"{middle}\" text-anchor=\"middle\">{HtmlText.Escape(yLabel)}</text>");
        for (int i = 0; i < bands.Count; i++)
        {
            if (bands[i].Count > 1)
            {
                IEnumerable<string> edge = bands[i].Select(p => $"{N(X(p.X))} {N(Y(p.High))}")
                    .Concat(bands[i].AsEnumerable().Reverse().Select(p => $"{N(X(p.X))} {N(Y(p.Low))}"));
                svg.Append(CultureInfo.InvariantCulture, $"<path class=\"band s{i % 6}\" d=\"M{string.Join('L', edge)}Z\"/>");
            }
        }

        for (int i = 0; i < lines.Count; i++)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<path class=\"line s{i % 6}\" d=\"{Path(lines[i], X, Y)}\"><title>{HtmlText.Escape(series[i].Name)}</title></path>");
            foreach ((double x, double y) in Lone(lines[i]))
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"line s{i % 6}\" cx=\"{N(X(x))}\" cy=\"{N(Y(y))}\" r=\"{Dot}\"/>");
            }
        }

        return svg.Append("</svg>").ToString();
    }

    // Points without a neighbour: a path of one point draws nothing.
    private static IEnumerable<(double X, double Y)> Lone(List<(double X, double Y)> points) => points.Where((point, i) =>
        !double.IsNaN(point.Y) && (i == 0 || double.IsNaN(points[i - 1].Y)) && (i == points.Count - 1 || double.IsNaN(points[i + 1].Y)));

    private static string Path(List<(double X, double Y)> points, Func<double, double> x, Func<double, double> y)
    {
        var path = new StringBuilder();
        bool penDown = false;
        foreach ((double px, double py) in points)
        {
            if (double.IsNaN(py))
            {
                penDown = false;
                continue;
            }

            path.Append(penDown ? 'L' : 'M').Append(HtmlText.Number(x(px))).Append(' ').Append(HtmlText.Number(y(py)));
            penDown = true;
        }

        return path.ToString();
    }

    private static List<(double X, double Low, double High)> Band(IReadOnlyList<(double X, double Low, double High)>? band) =>
        [.. (band ?? []).Where(p => double.IsFinite(p.X) && double.IsFinite(p.Low) && double.IsFinite(p.High))];

    /// <summary>Averages neighbours until few enough points are left; a group without a usable value becomes a gap (NaN).</summary>
    private static List<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points, bool logarithmic)
    {
        int group = ((points.Count - 1) / MaxPoints) + 1;
        var result = new List<(double X, double Y)>();
        for (int start = 0; start < points.Count; start += group)
        {
            double sumX = 0, sumY = 0;
            int n = 0;
            for (int i = start; i < Math.Min(start + group, points.Count); i++)
            {
                (double x, double y) = points[i];
                if (double.IsFinite(x) && double.IsFinite(y) && (!logarithmic || y > 0))
                {
                    sumX += x;
                    sumY += y;
                    n++;
                }
            }

            double mean = sumY / n;
            result.Add(n == 0 ? (0, double.NaN) : (sumX / n, logarithmic ? Math.Log10(mean) : mean));
        }

        return result;
    }

    private static (double Low, double High) Range(IEnumerable<double> values)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values)
        {
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        if (low > high)
        {
            return (0, 1);
        }

        double least = Math.Max(Math.Abs(high), 1) * 1e-6;
        return high - low < least ? (low - (0.5 * least) - 0.5, high + (0.5 * least) + 0.5) : (low, high);
    }

    /// <summary>Round numbers, steps of 1, 2 or 5 times a power of ten, about <paramref name="count"/> of them inside the range.</summary>
    private static double[] Ticks(double low, double high, int count)
    {
        double rough = (high - low) / count;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = (rough / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 } * power;
        double first = Math.Ceiling(low / step);
        double last = Math.Floor(high / step);
        return first > last ? [low, high] : [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    /// <summary>log10 of the axis labels: 1, 2 and 5 times powers of ten within two decades, powers of ten alone over a longer range.</summary>
    private static double[] LogTicks(double low, double high)
    {
        int first = (int)Math.Floor(low);
        int last = (int)Math.Ceiling(high);
        if (high - low >= 2)
        {
            int step = (last - first + 7) / 8;
            return [.. Enumerable.Range(0, ((last - first + step - 1) / step) + 1).Select(i => (double)(first + (i * step)))];
        }

        double[] all = [.. Enumerable.Range(first, last - first + 1).SelectMany(e => new[] { e, e + Math.Log10(2), e + Math.Log10(5) })];
        double below = all.Last(t => t <= low + 1e-9);
        double above = all.First(t => t >= high - 1e-9);
        return [.. all.Where(t => t >= below && t <= above)];
    }

    private static string TickText(double value)
    {
        double size = Math.Abs(value);
        string format = size is 0 or (>= 0.001 and < 1e6) ? "0.####" : "0.##e0";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }
}
