namespace Ldvc.Imaging;

/// <summary>256 colours, one per label value.</summary>
internal sealed class LabelPalette
{
    /// <summary>Wraps 768 bytes: R, G, B of label 0, 1, ...</summary>
    public LabelPalette(byte[] rgb)
    {
        if (rgb.Length != 768)
        {
            throw new ArgumentException($"expected 768 bytes, got {rgb.Length}", nameof(rgb));
        }

        Rgb = rgb;
    }

    /// <summary>
    /// PASCAL VOC's colour map: label bits 0, 3, 6 fill red from its top bit down, bits 1, 4, 7 green, bits 2, 5 blue. 0 is black, 255 is (224, 224,
    /// 192).
    /// </summary>
    public static LabelPalette Voc { get; } = new(BuildVoc());

    /// <summary>For overlays: bright colours, hues a golden angle apart so that neighbouring class indices differ most. 255 is black.</summary>
    public static LabelPalette Bright { get; } = new(BuildBright());

    /// <summary>Every number as its grey level.</summary>
    public static LabelPalette BlackAndWhite { get; } = new([.. Enumerable.Range(0, 256).SelectMany(level => Enumerable.Repeat((byte)level, 3))]);

    /// <summary>[256, 3].</summary>
    public byte[] Rgb { get; }

    /// <summary>The colour of a label; from 256 on, the first 255 colours come again.</summary>
    public (byte R, byte G, byte B) this[int label]
    {
        get
        {
            int at = 3 * (label <= LabelMap.Ignore ? label : (label - LabelMap.Ignore - 1) % LabelMap.Ignore);
            return (Rgb[at], Rgb[at + 1], Rgb[at + 2]);
        }
    }

    private static byte[] BuildVoc()
    {
        var rgb = new byte[768];
        for (int label = 0; label < 256; label++)
        {
            int bits = label;
            for (int plane = 7; bits != 0; plane--, bits >>= 3)
            {
                for (int channel = 0; channel < 3; channel++)
                {
                    rgb[(3 * label) + channel] |= (byte)(((bits >> channel) & 1) << plane);
                }
            }
        }

        return rgb;
    }

    private static byte[] BuildBright()
    {
        // Three strengths in turn keep classes apart whose hues come close again.
        ReadOnlySpan<(double Saturation, double Value)> strengths = [(0.85, 0.95), (1.0, 0.70), (0.55, 1.0)];
        var rgb = new byte[768];
        for (int label = 0; label < 255; label++)
        {
            double hue = 6 * (((label * 0.6180339887498949) + 0.98) % 1.0);
            var (saturation, value) = strengths[label % 3];
            for (int channel = 0; channel < 3; channel++)
            {
                // Distance on the hue circle from the channel's own primary (0, 2, 4): full within 1, gone beyond 2.
                double distance = Math.Abs(hue - (2 * channel));
                distance = Math.Min(distance, 6 - distance);
                double strength = Math.Clamp(2 - distance, 0, 1);
                rgb[(3 * label) + channel] = (byte)Math.Round(255 * value * (1 - (saturation * (1 - strength))));
            }
        }

        return rgb;
    }
}
