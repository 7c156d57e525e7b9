using System.Globalization;
using System.Text;

namespace Ldvc.Lab.Reports;

/// <summary>A matrix of shares as inline SVG: the darker a cell, the larger its share; the name and the number appear under the pointer.</summary>
internal static class MatrixPlot
{
    // Thinner cells than this cannot be told apart; more than 171 classes are still drawn.
    private const double LargestCell = 26;
    private const double Width = 950;
    private const double Margin = 8;

    // In the font's size.
    private const double LongestName = 15;

    // Smaller shares are invisible, and a cell each would make the page of 171 classes megabytes large.
    private const double Smallest = 0.005;

    /// <summary>The SVG element.</summary>
    /// <param name="rows">Names of the rows.</param>
    /// <param name="columns">Names of the columns.</param>
    /// <param name="shares">[rows, columns], 0 to 1.</param>
    internal static string Render(IReadOnlyList<string> rows, IReadOnlyList<string> columns, double[,] shares)
    {
        double longest = Math.Min(LongestName, rows.Concat(columns).Max(TextWidth.Of));
        double cell = Math.Min(LargestCell, (Width - (12 * longest) - (2 * Margin)) / columns.Count);
        double font = Math.Min(12, 0.85 * cell), names = (font * longest) + Margin;
        double width = names + (cell * columns.Count) + Margin, height = names + (cell * rows.Count) + Margin;
        string N(double value) => HtmlText.Number(value);

        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg class=\"plot\" style=\"max-width:{N(width)}px;min-width:{N(width)}px;font-size:{N(font)}px\" ");
        svg.Append(CultureInfo.InvariantCulture, $"viewBox=\"0 0 {N(width)} {N(height)}\" role=\"img\" aria-label=\"confusion matrix\">");
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<rect x=\"{N(names)}\" y=\"{N(names)}\" width=\"{N(cell * columns.Count)}\" height=\"{N(cell * rows.Count)}\" ");
        svg.Append("style=\"fill:var(--track)\"/>");
        for (int column = 0; column < columns.Count; column++)
        {
            double x = names + (cell * (column + 0.5));
            svg.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate({N(x)} {N(names - 4)}) rotate(-90)\" dy=\"0.32em\">{HtmlText.Escape(TextWidth.Cut(columns[column], longest))}</text>");
        }

        for (int row = 0; row < rows.Count; row++)
        {
            double y = names + (cell * row);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{N(names - 4)}\" y=\"{N(y + (cell / 2))}\" dy=\"0.32em\" text-anchor=\"end\">{HtmlText.Escape(TextWidth.Cut(rows[row], longest))}</text>");
            for (int column = 0; column < columns.Count; column++)
            {
                double share = shares[row, column];
                if (share >= Smallest)
                {
                    string colour = row == column ? "seen" : "unseen", percent = (100 * share).ToString("F1", CultureInfo.InvariantCulture);
                    svg.Append(
                        CultureInfo.InvariantCulture,
                        $"<rect x=\"{N(names + (cell * column))}\" y=\"{N(y)}\" width=\"{N(cell)}\" height=\"{N(cell)}\" ");
                    svg.Append(CultureInfo.InvariantCulture, $"style=\"fill:var(--{colour})\" fill-opacity=\"{N(0.08 + (0.92 * share))}\">");
                    svg.Append(
                        CultureInfo.InvariantCulture,
                        $"<title>{HtmlText.Escape(rows[row])} as {HtmlText.Escape(columns[column])}: {percent} %</title></rect>");
                }
            }
        }

        return svg.Append("</svg>").ToString();
    }
}
