using System.Globalization;
using System.Text;
using Ldvc.Imaging;

namespace Ldvc.Lab.Reports;

/// <summary>A part of a picture: shares of its width and height, 0 to 1.</summary>
internal readonly record struct MapCell(double Left, double Top, double Width, double Height);

/// <summary>One picture of a choice map: its heading, and for every cell the cells that it chose.</summary>
internal sealed record ChoiceLayer(string Title, IReadOnlyList<IReadOnlyList<int>> Chosen);

/// <summary>
/// A picture that is cut into cells, several times side by side. A click on a cell of any of them selects it in all: its frame turns red, what it
/// chose keeps its
/// colours, the rest fades. Without a script: a cell is the label of a radio button, and the style sheet shows the overlay of the button that is
/// checked. Arrow keys work, too.
/// </summary>
internal static class ChoiceMap
{
    /// <summary>The markup, with the style rules of its own cells.</summary>
    /// <param name="name">A name that no other map of the document has: letters, digits, hyphens.</param>
    /// <param name="picture">What is cut.</param>
    /// <param name="cells">The cells; together they cover the picture.</param>
    /// <param name="layers">What was chosen.</param>
    /// <param name="first">The cell that is selected at first.</param>
    internal static string Render(string name, RgbImage picture, IReadOnlyList<MapCell> cells, IReadOnlyList<ChoiceLayer> layers, int first)
    {
        var html = new StringBuilder("<div class=\"choices\">");
        for (int cell = 0; cell < cells.Count; cell++)
        {
            html.Append(CultureInfo.InvariantCulture, $"<input type=\"radio\" name=\"{name}\" id=\"{name}-{cell}\" aria-label=\"window {cell + 1} of {cells.Count}\"{(cell == first ? " checked=\"checked\"" : "")}/>");
        }

        html.Append("<style>");
        for (int cell = 0; cell < cells.Count; cell++)
        {
            html.Append(CultureInfo.InvariantCulture, $"#{name}-{cell}:checked ~ .pictures .{name}-{cell} {{ display: inline; }}");
        }

        html.Append(CultureInfo.InvariantCulture, $"</style><div class=\"pictures\" style=\"--columns:{layers.Count}\">");
        string data = PictureData.ToDataUri(picture);
        foreach (ChoiceLayer layer in layers)
        {
            string title = HtmlText.Escape(layer.Title);
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"picture\"><div class=\"map\"><img alt=\"{title}\" width=\"{picture.Width}\" height=\"{picture.Height}\" src=\"{data}\"/>");
            Overlays(html, name, cells, layer);
            Labels(html, name, cells);
            html.Append(CultureInfo.InvariantCulture, $"</div><div>{title}</div></div>");
        }

        return html.Append("</div></div>").ToString();
    }

    // What fades is drawn over: every cell that was not chosen, and the frame of the selected one.
    private static void Overlays(StringBuilder html, string name, IReadOnlyList<MapCell> cells, ChoiceLayer layer)
    {
        html.Append("<svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        for (int cell = 0; cell < cells.Count; cell++)
        {
            html.Append(CultureInfo.InvariantCulture, $"<g class=\"{name}-{cell}\"><path d=\"");
            for (int other = 0; other < cells.Count; other++)
            {
                if (!layer.Chosen[cell].Contains(other))
                {
                    html.Append(Outline(cells[other]));
                }
            }

            html.Append(CultureInfo.InvariantCulture, $"\"/><path class=\"own\" d=\"{Outline(cells[cell])}\"/></g>");
        }

        html.Append("</svg>");
    }

    private static void Labels(StringBuilder html, string name, IReadOnlyList<MapCell> cells)
    {
        for (int cell = 0; cell < cells.Count; cell++)
        {
            MapCell at = cells[cell];
            html.Append(
                CultureInfo.InvariantCulture, $"<label for=\"{name}-{cell}\" "
                    + $"style=\"left:{Percent(at.Left)};top:{Percent(at.Top)};width:{Percent(at.Width)};height:{Percent(at.Height)}\"></label>");
        }
    }

    private static string Outline(MapCell at) =>
        $"M{Number(at.Left)} {Number(at.Top)}h{Number(at.Width)}v{Number(at.Height)}h{Number(-at.Width)}z";

    private static string Number(double share) => HtmlText.Number(100 * share);

    private static string Percent(double share) => Number(share) + "%";
}
