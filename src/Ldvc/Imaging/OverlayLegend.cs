namespace Ldvc.Imaging;

/// <summary>The strip below an overlay: a swatch, the name and the share of the pixels of every class present, largest share first.</summary>
internal sealed class OverlayLegend
{
    private static readonly (byte R, byte G, byte B) Ink = (32, 32, 32);
    private static readonly (byte R, byte G, byte B) Faint = (120, 120, 120);

    private readonly List<(string Name, string Share, (byte R, byte G, byte B)? Colour)> _entries;
    private readonly int _longest;

    private OverlayLegend(List<(string Name, string Share, (byte R, byte G, byte B)? Colour)> entries)
    {
        _entries = entries;
        _longest = entries.Max(e => e.Name.Length + 1 + e.Share.Length);
    }

    /// <summary>Counts the labels. A label that is neither a class nor 65535 is an error of the caller.</summary>
    public static OverlayLegend Create(LabelMap16 labels, IReadOnlyList<string> classNames, LabelPalette palette)
    {
        var counts = new long[LabelMap16.Unlabelled + 1];
        foreach (ushort label in labels.Labels)
        {
            counts[label]++;
        }

        var entries = new List<(string, string, (byte, byte, byte)?)>();
        foreach (int label in Enumerable.Range(0, counts.Length).Where(l => counts[l] > 0).OrderBy(l => l == LabelMap16.Unlabelled)
            .ThenByDescending(l => counts[l]))
        {
            if (label >= classNames.Count && label != LabelMap16.Unlabelled)
            {
                throw new ArgumentException($"label {label} has no name, there are {classNames.Count} classes", nameof(labels));
            }

            string share = ShareText.Percent(counts[label] / (double)labels.Labels.Length) + "%";
            entries.Add(label == LabelMap16.Unlabelled ? ("no class", share, null) : (Legible(classNames[label], label), share, palette[label]));
        }

        return new OverlayLegend(entries);
    }

    // The letters here are ASCII's. A name in another script would be a row of question marks like all others: its number tells it from them.
    private static string Legible(string name, int label)
    {
        string drawn = string.Concat(name.Select(c => c is >= ' ' and <= '~' ? c : '?'));
        return drawn == name ? name : drawn.Any(char.IsAsciiLetterOrDigit) ? $"{drawn} (class {label})" : $"class {label}";
    }

    /// <summary>Width and height the strip needs below a picture of that width.</summary>
    public (int Width, int Height) Measure(int pictureWidth)
    {
        var (scale, columns, columnWidth, margin) = Layout(pictureWidth);
        int rows = (_entries.Count + columns - 1) / columns;
        return ((columns * columnWidth) + margin, (rows * LineHeight(scale)) + margin);
    }

    /// <summary>Draws the strip with its upper edge at <paramref name="top"/>.</summary>
    public void Draw(RgbImage image, int top, int pictureWidth)
    {
        var (scale, columns, columnWidth, margin) = Layout(pictureWidth);
        for (int i = 0; i < _entries.Count; i++)
        {
            var (name, share, colour) = _entries[i];
            int x = margin + (i % columns * columnWidth);
            int y = top + margin + (i / columns * LineHeight(scale));
            int swatch = SwatchWidth(scale);
            BitmapFont.FillRectangle(image, x, y - scale, swatch, 9 * scale, Faint);
            BitmapFont.FillRectangle(image, x + 1, y - scale + 1, swatch - 2, (9 * scale) - 2, colour ?? (255, 255, 255));
            int text = x + swatch + (3 * scale);
            BitmapFont.Draw(image, name, text, y, scale, Ink);
            BitmapFont.Draw(image, share, text + ((name.Length + 1) * BitmapFont.Advance * scale), y, scale, Faint);
        }
    }

    // The largest letters that suit the picture's width, smaller ones if a long name asks for it.
    private (int Scale, int Columns, int ColumnWidth, int Margin) Layout(int pictureWidth)
    {
        int scale = Math.Clamp(pictureWidth / 256, 1, 8);
        while (scale > 1 && ColumnWidth(scale) + Margin(scale) > pictureWidth)
        {
            scale--;
        }

        int columns = Math.Clamp((pictureWidth - Margin(scale)) / ColumnWidth(scale), 1, _entries.Count);
        return (scale, columns, ColumnWidth(scale), Margin(scale));
    }

    private int ColumnWidth(int scale) => SwatchWidth(scale) + (((_longest * BitmapFont.Advance) + 10) * scale);

    private static int SwatchWidth(int scale) => 12 * scale;

    private static int LineHeight(int scale) => 14 * scale;

    private static int Margin(int scale) => 6 * scale;
}
