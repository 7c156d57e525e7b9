using System.Globalization;
using System.Text;

namespace Ldvc.Bench.Sweep;

/// <summary>Small log-log plots side by side: dots are measured, the line is the theory through the last dot.</summary>
internal static class SweepPlot
{
    private const int Side = 220;
    private const int Margin = 46;

    internal static string Svg(IReadOnlyList<(string Name, IReadOnlyList<SweepPoint> Points)> sweeps)
    {
        int width = (sweeps.Count * (Side + Margin)) + 20, height = Side + 80;
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n");
        for (int i = 0; i < sweeps.Count; i++)
        {
            Panel(svg, Margin + (i * (Side + Margin)), 30, sweeps[i].Name, sweeps[i].Points);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void Panel(StringBuilder svg, int left, int top, string name, IReadOnlyList<SweepPoint> points)
    {
        double last = points[^1].Seconds;
        double xLow = Math.Log(points[0].Size), xHigh = Math.Log(points[^1].Size);
        double yLow = points.Min(p => Math.Log(Math.Min(p.Seconds, p.Theory * last))) - 0.2, yHigh = points.Max(
            p => Math.Log(Math.Max(p.Seconds, p.Theory * last))) + 0.2;
        string X(int size) => N(left + ((Math.Log(size) - xLow) / (xHigh - xLow) * (Side - 30)) + 15);
        string Y(double seconds) => N(top + Side - ((Math.Log(seconds) - yLow) / (yHigh - yLow) * Side));
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left}\" y=\"{top - 8}\">{name}</text><rect x=\"{left}\" y=\"{top}\" width=\"{Side}\" height=\"{Side}\" fill=\"none\" stroke=\"#bbb\"/>");
        svg.Append("<polyline fill=\"none\" stroke=\"#c60\" points=\"").AppendJoin(
            ' ', points.Select(p => $"{X(p.Size)},{Y(p.Theory * last)}")).Append("\"/>");
        foreach (var p in points)
        {
            string time = p.Seconds < 1 ? $"{N(p.Seconds * 1e3)} ms" : $"{N(p.Seconds)} s";
            svg.Append($"<circle cx=\"{X(p.Size)}\" cy=\"{Y(p.Seconds)}\" r=\"3.5\" fill=\"#06c\"><title>{time}</title></circle>");
            svg.Append($"<text x=\"{X(p.Size)}\" y=\"{top + Side + 14}\" text-anchor=\"middle\">{p.Size}</text>");
        }

        svg.Append($"<text x=\"{left + 4}\" y=\"{top + 14}\" fill=\"#666\">{N(points[^1].Seconds * 1e3)} ms at {points[^1].Size}</text>\n");
    }

    private static string N(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
