using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>
/// mmsegmentation's photometric distortion, in place on 8-bit pixels: brightness, contrast either here or at the end, saturation, hue; each with
/// probability one half. Every step clips to 0..255 and truncates.
/// </summary>
internal static class PhotometricDistortion
{
    /// <summary>Distorts <paramref name="image"/>.</summary>
    public static void Apply(RgbImage image, AugmentConfig config, ref CounterRandom random)
    {
        if (Coin(ref random))
        {
            Convert(image, 1f, (float)random.NextDouble(-config.Brightness, config.Brightness));
        }

        bool contrastFirst = Coin(ref random);
        if (contrastFirst)
        {
            Contrast(image, config, ref random);
        }

        if (Coin(ref random))
        {
            Saturate(image, (float)random.NextDouble(config.Saturation[0], config.Saturation[1]));
        }

        if (Coin(ref random) && config.Hue > 0)
        {
            RotateHue(image, random.NextInt(-config.Hue, config.Hue));
        }

        if (!contrastFirst)
        {
            Contrast(image, config, ref random);
        }
    }

    /// <summary>pixel * factor + offset, clipped and truncated.</summary>
    public static void Convert(RgbImage image, float factor, float offset)
    {
        Span<byte> table = stackalloc byte[256];
        FillTable(table, factor, offset);
        var pixels = image.Pixels;
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = table[pixels[i]];
        }
    }

    /// <summary>Multiplies the saturation.</summary>
    public static void Saturate(RgbImage image, float factor)
    {
        Span<byte> table = stackalloc byte[256];
        FillTable(table, factor, 0);
        var pixels = image.Pixels;
        for (int i = 0; i < pixels.Length; i += 3)
        {
            var (h, s, v) = HsvColours.FromRgb(pixels[i], pixels[i + 1], pixels[i + 2]);
            (pixels[i], pixels[i + 1], pixels[i + 2]) = HsvColours.ToRgb(h, table[s], v);
        }
    }

    /// <summary>Turns the hue by <paramref name="steps"/> of two degrees.</summary>
    public static void RotateHue(RgbImage image, int steps)
    {
        var pixels = image.Pixels;
        int turn = ((steps % 180) + 180) % 180;
        for (int i = 0; i < pixels.Length; i += 3)
        {
            var (h, s, v) = HsvColours.FromRgb(pixels[i], pixels[i + 1], pixels[i + 2]);
            (pixels[i], pixels[i + 1], pixels[i + 2]) = HsvColours.ToRgb((h + turn) % 180, s, v);
        }
    }

    private static void Contrast(RgbImage image, AugmentConfig config, ref CounterRandom random)
    {
        if (Coin(ref random))
        {
            Convert(image, (float)random.NextDouble(config.Contrast[0], config.Contrast[1]), 0);
        }
    }

    private static void FillTable(Span<byte> table, float factor, float offset)
    {
        for (int v = 0; v < 256; v++)
        {
            table[v] = (byte)Math.Clamp((v * factor) + offset, 0f, 255f);
        }
    }

    private static bool Coin(ref CounterRandom random) => random.NextInt(2) == 1;
}
