using System.Globalization;
using System.Text;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Lab.Reports;

/// <summary>
/// One self-contained HTML file: no script, no second file, pictures as data: URIs. Parts appear in the order they are added; all text given is
/// escaped. The markup is well-formed XML, so tests (and other programs) can read it back.
/// </summary>
internal sealed class HtmlReport
{
    /// <summary>Pictures up to this width are enlarged with hard pixel edges instead of being blurred.</summary>
    private const int SmallPicture = 200;

    private readonly StringBuilder _body = new();
    private int _maps;
    private readonly string _title;

    /// <summary>Starts a report with its title and the line under it.</summary>
    public HtmlReport(string title, string subtitle = "")
    {
        _title = title;
        _body.Append("<h1>").Append(E(title)).Append("</h1>\n");
        if (subtitle.Length > 0)
        {
            _body.Append("<p class=\"subtitle\">").Append(E(subtitle)).Append("</p>\n");
        }
    }

    /// <summary>A section heading.</summary>
    public HtmlReport AddHeading(string text) => Add($"<h2>{E(text)}</h2>");

    /// <summary>A paragraph of plain text.</summary>
    public HtmlReport AddParagraph(string text) => Add($"<p>{E(text)}</p>");

    /// <summary>A row of boxes with one number each.</summary>
    public HtmlReport AddCards(params IEnumerable<ReportCard> cards)
    {
        _body.Append("<div class=\"cards\">");
        foreach (ReportCard card in cards)
        {
            _body.Append(
                CultureInfo.InvariantCulture, $"<div class=\"card{(card.IsMain ? " main" : "")}\"><div class=\"label\">{E(card.Label)}</div>");
            _body.Append(CultureInfo.InvariantCulture, $"<div class=\"value\">{E(card.Value)}</div><div class=\"note\">{E(card.Note)}</div></div>");
        }

        return Add("</div>");
    }

    /// <summary>A table; every row has as many cells as there are headers. Columns that hold numbers only are set flush right.</summary>
    public HtmlReport AddTable(string caption, IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        bool[] numeric = new bool[headers.Count];
        foreach (IReadOnlyList<string> row in rows)
        {
            if (row.Count != headers.Count)
            {
                throw new ArgumentException($"expected {headers.Count} cells in every row of table '{caption}', got {row.Count}", nameof(rows));
            }
        }

        for (int column = 0; column < headers.Count; column++)
        {
            numeric[column] = rows.Count > 0 && rows.All(row => LooksNumeric(row[column]));
        }

        BeginTable(caption);
        for (int column = 0; column < headers.Count; column++)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<th{(numeric[column] ? " class=\"number\"" : "")}>{E(headers[column])}</th>");
        }

        _body.Append("</tr></thead><tbody>\n");
        foreach (IReadOnlyList<string> row in rows)
        {
            _body.Append("<tr>");
            for (int column = 0; column < headers.Count; column++)
            {
                _body.Append(CultureInfo.InvariantCulture, $"<td{(numeric[column] ? " class=\"number\"" : "")}>{E(row[column])}</td>");
            }

            _body.Append("</tr>\n");
        }

        return Add("</tbody></table></div>");
    }

    /// <summary>A table of classes with a score each, drawn as a bar; unseen classes have their own colour.</summary>
    public HtmlReport AddClassTable(string caption, string scoreName, IEnumerable<ClassRow> rows)
    {
        BeginTable(caption);
        _body.Append(CultureInfo.InvariantCulture, $"<th>class</th><th></th><th class=\"number\">{E(scoreName)}</th><th></th></tr></thead><tbody>\n");
        foreach (ClassRow row in rows)
        {
            string kind = row.IsUnseen ? "unseen" : "seen";
            string text = double.IsNaN(row.Share) ? "absent" : (100 * row.Share).ToString("0.0", CultureInfo.InvariantCulture);
            string width = HtmlText.Number(double.IsNaN(row.Share) ? 0 : Math.Clamp(100 * row.Share, 0, 100));
            _body.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{E(row.Name)}</td><td><span class=\"tag {kind}\">{kind}</span></td><td class=\"number\">{text}</td>");
            _body.Append(
                CultureInfo.InvariantCulture,
                $"<td class=\"wide\"><div class=\"track\"><div class=\"{kind}\" style=\"width:{width}%\"></div></div></td></tr>\n");
        }

        return Add("</tbody></table></div>");
    }

    /// <summary>Pictures side by side, each with its title, and a caption under the row.</summary>
    public HtmlReport AddPictureRow(string caption, params IEnumerable<ReportPicture> pictures)
    {
        ReportPicture[] row = [.. pictures];
        _body.Append(CultureInfo.InvariantCulture, $"<figure><div class=\"pictures\" style=\"--columns:{row.Length}\">");
        foreach (ReportPicture picture in row)
        {
            string small = picture.Image.Width <= SmallPicture ? " class=\"small\"" : "";
            _body.Append(
                CultureInfo.InvariantCulture,
                $"<div class=\"picture\"><img{small} alt=\"{E(picture.Title)}\" width=\"{picture.Image.Width}\" height=\"{picture.Image.Height}\" ");
            _body.Append(CultureInfo.InvariantCulture, $"src=\"{PictureData.ToDataUri(picture.Image)}\"/><div>{E(picture.Title)}</div></div>");
        }

        return Add($"</div><figcaption>{E(caption)}</figcaption></figure>");
    }

    /// <summary>A picture cut into cells, once for every layer; a click on a cell shows which cells it chose.</summary>
    /// <param name="caption">The line under it.</param>
    /// <param name="picture">What is cut.</param>
    /// <param name="cells">The cells; together they cover the picture.</param>
    /// <param name="layers">What every cell chose.</param>
    /// <param name="first">The cell that is selected at first.</param>
    public HtmlReport AddChoiceMap(string caption, RgbImage picture, IReadOnlyList<MapCell> cells, IReadOnlyList<ChoiceLayer> layers, int first) =>
        Add($"<figure>{ChoiceMap.Render($"map-{_maps++}", picture, cells, layers, first)}<figcaption>{E(caption)}</figcaption></figure>");

    /// <summary>What the colours of label pictures mean.</summary>
    public HtmlReport AddLegend(params IEnumerable<LegendEntry> entries)
    {
        _body.Append("<div class=\"legend\">");
        foreach (LegendEntry entry in entries)
        {
            _body.Append(
                CultureInfo.InvariantCulture, $"<span><i style=\"background:rgb({entry.R},{entry.G},{entry.B})\"></i>{E(entry.Name)}</span>");
        }

        return Add("</div>");
    }

    /// <summary>A matrix of shares, 0 to 1, whose cells are the darker the larger they are.</summary>
    public HtmlReport AddMatrix(string caption, IReadOnlyList<string> rows, IReadOnlyList<string> columns, double[,] shares) =>
        Add($"<figure>{MatrixPlot.Render(rows, columns, shares)}<figcaption>{E(caption)}</figcaption></figure>");

    /// <summary>A line plot with a legend when there is more than one line.</summary>
    public HtmlReport AddLinePlot(string caption, string xLabel, string yLabel, bool logarithmic, params IReadOnlyList<PlotSeries> series)
    {
        _body.Append("<figure>");
        if (series.Count > 1)
        {
            _body.Append("<div class=\"legend\">");
            for (int i = 0; i < series.Count; i++)
            {
                _body.Append(CultureInfo.InvariantCulture, $"<span><i class=\"s{i % 6}\"></i>{E(series[i].Name)}</span>");
            }

            _body.Append("</div>");
        }

        return Add($"{LinePlot.Render(xLabel, yLabel, logarithmic, series)}<figcaption>{E(caption)}</figcaption></figure>");
    }

    /// <summary>The closing section "How this was made": command, seed, machine, time and whatever else is needed to make it again.</summary>
    public HtmlReport AddHowMade(params IEnumerable<(string Name, string Value)> facts)
    {
        AddHeading("How this was made");
        _body.Append("<div class=\"panel\"><dl>");
        foreach ((string name, string value) in facts)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<dt>{E(name)}</dt><dd><code>{E(value)}</code></dd>");
        }

        return Add("</dl></div>");
    }

    /// <summary>The whole document.</summary>
    public string ToHtml() => $"""
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/><title>{E(_title)}</title>
        <style>
        {ReportStyle.Css}
        </style></head>
        <body><main>
        {_body}</main></body></html>

        """;

    /// <summary>Writes the document, creating its folder; the file appears whole or not at all.</summary>
    /// <exception cref="InputException">The place cannot be written to.</exception>
    public void Save(string path)
    {
        OutputFolder.Create(Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".");
        AtomicFile.WriteAllBytes(path, Encoding.UTF8.GetBytes(ToHtml()));
    }

    private static string E(string text) => HtmlText.Escape(text);

    /// <summary>"84.3", "84.3 ± 1.2", "12 %", "-": digits and the signs around them.</summary>
    private static bool LooksNumeric(string cell) => cell.Length > 0 && cell.All(c => char.IsAsciiDigit(c) || " .,+-±%–−".Contains(c));

    private void BeginTable(string caption)
    {
        _body.Append("<div class=\"panel\"><table>");
        if (caption.Length > 0)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<caption>{E(caption)}</caption>");
        }

        _body.Append("<thead><tr>");
    }

    private HtmlReport Add(string html)
    {
        _body.Append(html).Append('\n');
        return this;
    }
}
