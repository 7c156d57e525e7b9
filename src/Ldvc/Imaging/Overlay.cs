namespace Ldvc.Imaging;

/// <summary>A segmentation drawn for people: class colours blended over the picture, thin contours, and a legend below.</summary>
internal static class Overlay
{
    private const int Opacity = 140;

    /// <summary>
    /// Renders <paramref name="labels"/> (indices into <paramref name="classNames"/>, or 255 for "none") over <paramref name="image"/> of the same
    /// size. The result is higher than the picture by the legend, and wider only if a class name needs it.
    /// </summary>
    public static RgbImage Render(RgbImage image, LabelMap labels, IReadOnlyList<string> classNames, LabelPalette? palette = null) =>
        Render(image, LabelMap16.From(labels), classNames, palette);

    /// <summary>As above for any number of classes; 65535 is "none".</summary>
    public static RgbImage Render(RgbImage image, LabelMap16 labels, IReadOnlyList<string> classNames, LabelPalette? palette = null)
    {
        palette ??= LabelPalette.Bright;
        var blended = Blend(image, labels, palette);
        var legend = OverlayLegend.Create(labels, classNames, palette);
        var (width, height) = legend.Measure(image.Width);
        var result = new RgbImage(Math.Max(image.Width, width), image.Height + height);
        Array.Fill(result.Pixels, (byte)255);
        for (int y = 0; y < image.Height; y++)
        {
            blended.Pixels.AsSpan(3 * y * image.Width, 3 * image.Width).CopyTo(result.Pixels.AsSpan(3 * y * result.Width));
        }

        legend.Draw(result, image.Height, image.Width);
        return result;
    }

    /// <summary>The picture with masks and contours, without the legend. Pixels labelled 255 keep their colour.</summary>
    public static RgbImage Blend(RgbImage image, LabelMap labels, LabelPalette? palette = null) => Blend(image, LabelMap16.From(labels), palette);

    /// <summary>As above for any number of classes; pixels labelled 65535 keep their colour.</summary>
    public static RgbImage Blend(RgbImage image, LabelMap16 labels, LabelPalette? palette = null)
    {
        palette ??= LabelPalette.Bright;
        if (labels.Width != image.Width || labels.Height != image.Height)
        {
            throw new ArgumentException(
                $"labels are {labels.Width}x{labels.Height}, expected the picture's {image.Width}x{image.Height}", nameof(labels));
        }

        var result = new RgbImage(image.Width, image.Height);
        int thickness = Math.Max(1, Math.Min(image.Width, image.Height) / 400);
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                int i = (y * image.Width) + x;
                ushort label = labels.Labels[i];
                var source = image.Pixels.AsSpan(3 * i, 3);
                var target = result.Pixels.AsSpan(3 * i, 3);
                source.CopyTo(target);
                if (label != LabelMap16.Unlabelled)
                {
                    Mix(target, palette[label], Opacity);
                }

                if (IsContour(labels, x, y, thickness))
                {
                    Mix(target, (255, 255, 255), 215);
                }
            }
        }

        return result;
    }

    private static bool IsContour(LabelMap16 labels, int x, int y, int thickness)
    {
        ushort label = labels.Labels[(y * labels.Width) + x];
        return (x + thickness < labels.Width && labels.Labels[(y * labels.Width) + x + thickness] != label)
            || (y + thickness < labels.Height && labels.Labels[((y + thickness) * labels.Width) + x] != label);
    }

    // weight of 256 for the colour, the rest for what is there.
    private static void Mix(Span<byte> pixel, (byte R, byte G, byte B) colour, int weight)
    {
        pixel[0] = (byte)(((pixel[0] * (256 - weight)) + (colour.R * weight) + 128) >> 8);
        pixel[1] = (byte)(((pixel[1] * (256 - weight)) + (colour.G * weight) + 128) >> 8);
        pixel[2] = (byte)(((pixel[2] * (256 - weight)) + (colour.B * weight) + 128) >> 8);
    }
}
