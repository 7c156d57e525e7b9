using System.Globalization;
using System.Text;

namespace Ldvc.Lab.Reports;

/// <summary>A line plot as a file of its own, for pages that are not ours: with its colours, light and dark, and the names of its lines.</summary>
internal static class PlotFile
{
    private const int Width = 720;
    private const int Height = 320;
    private const int LegendHeight = 36;
    private const int Swatch = 12;

    private const string Style = """
        <style>
        svg { --page: #ffffff; --soft: #5d6878; --line: #dde2ea;
          --s0: #2563c9; --s1: #d9761a; --s2: #2f9158; --s3: #a3459f; --s4: #b8433f; --s5: #5f6b7a; }
        @media (prefers-color-scheme: dark) {
          svg { --page: #12161d; --soft: #98a4b5; --line: #2e3745; --s0: #7db0ff; --s1: #f2a65a; --s2: #6cc993; --s3: #d58ad1; --s4: #ef8783; --s5: #a9b4c2; } }
        text { fill: var(--soft); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        .page { fill: var(--page); } .grid { stroke: var(--line); } .axis { stroke: var(--soft); }
        .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
        .s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
        .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .band { stroke: none; fill-opacity: 0.16; }
        .band.s0 { fill: var(--s0); } .band.s1 { fill: var(--s1); } .band.s2 { fill: var(--s2); }
        .band.s3 { fill: var(--s3); } .band.s4 { fill: var(--s4); } .band.s5 { fill: var(--s5); }
        .key { stroke-width: 3; }
        </style>
        """;

    /// <summary>The file's text: the same for the same numbers, byte for byte.</summary>
    internal static string Render(string xLabel, string yLabel, IReadOnlyList<PlotSeries> series)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\">\n");
        text.Append(Style.ReplaceLineEndings("\n")).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"<rect class=\"page\" width=\"{Width}\" height=\"{Height}\"/>\n");
        int left = 62;
        for (int i = 0; i < series.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"<line class=\"key s{i % 6}\" x1=\"{left}\" x2=\"{left + Swatch}\" y1=\"20\" y2=\"20\"/>");
            text.Append(CultureInfo.InvariantCulture, $"<text x=\"{left + Swatch + 6}\" y=\"24\">{HtmlText.Escape(series[i].Name)}</text>\n");
            left += Swatch + 24 + (int)(12 * TextWidth.Of(series[i].Name));
        }

        // The plot of a page, moved below the names.
        text.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate(0 {LegendHeight})\">");
        string sized = $"width=\"{Width}\" height=\"{Height - LegendHeight}\" viewBox";
        text.Append(LinePlot.Render(xLabel, yLabel, false, series).Replace("viewBox", sized, StringComparison.Ordinal));
        return text.Append("</g>\n</svg>\n").ToString();
    }
}
