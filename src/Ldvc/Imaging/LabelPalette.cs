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
    /// PASCAL VOC's colour map: label bits 0, 3, 6 fill red from its top bit down, bits 1, 4, 7 green, bits 2, 5 blue. 0 is black, 255 is (224, 224, 192).
    /// </summary>
    public static LabelPalette Voc { get; } = new(BuildVoc(firstEntry: 0));

    /// <summary>For overlays of train ids: the VOC colours shifted by one, so that class 0 is not black. 255 is black.</summary>
    public static LabelPalette Classes { get; } = new(BuildVoc(firstEntry: 1));

    /// <summary>[256, 3].</summary>
    public byte[] Rgb { get; }

    /// <summary>The colour of a label.</summary>
    public (byte R, byte G, byte B) this[byte label] => (Rgb[3 * label], Rgb[(3 * label) + 1], Rgb[(3 * label) + 2]);

    private static byte[] BuildVoc(int firstEntry)
    {
        var rgb = new byte[768];
        for (int label = 0; label < 256; label++)
        {
            int bits = (label + firstEntry) & 255;
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
}
