using Ldvc.Imaging;

namespace Ldvc.Lab.Reports;

/// <summary>Label maps and small pictures as they are shown in reports.</summary>
internal static class LabelPicture
{
    /// <summary>Every label in its colour of <see cref="LabelPalette.Bright"/>, black where there is none.</summary>
    internal static RgbImage Colour(LabelMap labels)
    {
        var image = new RgbImage(labels.Width, labels.Height);
        for (int i = 0; i < labels.Count; i++)
        {
            if (labels.ClassAt(i) is >= 0 and int id)
            {
                (image.Pixels[3 * i], image.Pixels[(3 * i) + 1], image.Pixels[(3 * i) + 2]) = LabelPalette.Bright[id];
            }
        }

        return image;
    }

    /// <summary>Every pixel as a square of <paramref name="factor"/> pixels.</summary>
    internal static RgbImage Enlarge(RgbImage image, int factor)
    {
        var large = new RgbImage(image.Width * factor, image.Height * factor);
        for (int y = 0; y < large.Height; y++)
        {
            for (int x = 0; x < large.Width; x++)
            {
                image.Pixels.AsSpan(3 * (((y / factor) * image.Width) + (x / factor)), 3).CopyTo(large.Pixels.AsSpan(3 * ((y * large.Width) + x)));
            }
        }

        return large;
    }
}
