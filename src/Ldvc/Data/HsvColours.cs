namespace Ldvc.Data;

/// <summary>RGB to HSV and back in 8 bits as OpenCV rounds it: hue in steps of two degrees (0..179), saturation and value 0..255.</summary>
internal static class HsvColours
{
    private const int Shift = 12;

    private static readonly int[] SaturationDivisor = Divisors(255.0);
    private static readonly int[] HueDivisor = Divisors(180.0 / 6.0);

    /// <summary>Converts one colour.</summary>
    public static (int H, int S, int V) FromRgb(int r, int g, int b)
    {
        int value = Math.Max(r, Math.Max(g, b));
        int range = value - Math.Min(r, Math.Min(g, b));
        int sector = value == r ? g - b : value == g ? b - r + (2 * range) : r - g + (4 * range);
        int hue = ((sector * HueDivisor[range]) + (1 << (Shift - 1))) >> Shift;
        int saturation = ((range * SaturationDivisor[value]) + (1 << (Shift - 1))) >> Shift;
        return (hue < 0 ? hue + 180 : hue, saturation, value);
    }

    /// <summary>Converts one colour back.</summary>
    public static (byte R, byte G, byte B) ToRgb(int hue, int saturation, int value)
    {
        float h = hue * (6f / 180f);
        float s = saturation * (1f / 255f);
        float v = value * (1f / 255f);
        int sector = (int)h;
        float fraction = h - sector;
        byte top = Quantize(v);
        byte low = Quantize(v * (1 - s));
        byte falling = Quantize(v * (1 - (s * fraction)));
        byte rising = Quantize(v * (1 - (s * (1 - fraction))));
        return (sector % 6) switch
        {
            0 => (top, rising, low),
            1 => (falling, top, low),
            2 => (low, top, rising),
            3 => (low, falling, top),
            4 => (rising, low, top),
            _ => (top, low, falling),
        };
    }

    private static byte Quantize(float x) => (byte)MathF.Round(x * 255f);

    private static int[] Divisors(double scale)
    {
        var table = new int[256];
        for (int i = 1; i < 256; i++)
        {
            table[i] = (int)Math.Round(scale * (1 << Shift) / i);
        }

        return table;
    }
}
