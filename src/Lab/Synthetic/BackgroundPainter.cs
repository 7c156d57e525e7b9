using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// Fills a picture with a muted, lightly textured background; the pattern at a place depends on its position in the plane, not on the window.
/// </summary>
internal static class BackgroundPainter
{
    private const int NoiseAmplitude = 7;

    /// <summary>Paints the whole window into <paramref name="pixels"/> [Height, Width, 3].</summary>
    public static void Paint(Scene scene, Span<byte> pixels)
    {
        var random = new CounterRandom(scene.Seed, 2);
        (byte r, byte g, byte b) = Vocabulary.BackgroundValues[scene.Background];
        float shift = (float)random.NextDouble(-10, 10);
        float baseR = r + shift + (float)random.NextDouble(-5, 5);
        float baseG = g + shift + (float)random.NextDouble(-5, 5);
        float baseB = b + shift + (float)random.NextDouble(-5, 5);
        float slopeX = (float)random.NextDouble(-0.2, 0.2);
        float slopeY = (float)random.NextDouble(-0.2, 0.2);
        float waveX = (float)random.NextDouble(-1, 1);
        float waveY = (float)random.NextDouble(-1, 1);
        float perPixel = (float)(1 / random.NextDouble(18, 30)) / MathF.Sqrt((waveX * waveX) + (waveY * waveY) + 0.01f);
        float strength = (float)random.NextDouble(8, 16);
        uint noiseSeed = (uint)random.NextBits();
        int cell = random.NextInt(9, 16);

        int at = 0;
        for (int row = 0; row < scene.Height; row++)
        {
            int y = row + scene.OriginY;
            for (int column = 0; column < scene.Width; column++, at += 3)
            {
                int x = column + scene.OriginX;
                float tone = scene.Pattern switch
                {
                    BackgroundPattern.Gradient => (slopeX * (x - 48)) + (slopeY * (y - 48)),
                    BackgroundPattern.Stripes => strength * Wave(((waveX * x) + (waveY * y)) * perPixel),
                    BackgroundPattern.Blotches => 1.6f * strength * Blotch(x, y, cell, noiseSeed),
                    _ => 0,
                };
                uint noise = Hash(noiseSeed, x, y);
                pixels[at] = ToByte(baseR + tone + Noise(noise, NoiseAmplitude));
                pixels[at + 1] = ToByte(baseG + tone + Noise(noise >> 8, NoiseAmplitude));
                pixels[at + 2] = ToByte(baseB + tone + Noise(noise >> 16, NoiseAmplitude));
            }
        }
    }

    /// <summary>32 well-mixed bits for a place.</summary>
    public static uint Hash(uint seed, int x, int y)
    {
        uint h = seed ^ ((uint)x * 0x9E3779B1u) ^ ((uint)y * 0x85EBCA77u);
        h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >> 12)) * 0x297A2D39u;
        return h ^ (h >> 15);
    }

    /// <summary>The low byte as a value in [-amplitude, amplitude].</summary>
    public static float Noise(uint bits, float amplitude) => ((int)(bits & 255) - 127.5f) * (amplitude / 127.5f);

    /// <summary>Rounds and clamps to 0..255.</summary>
    public static byte ToByte(float value) => (byte)(int)MathF.Min(MathF.Max(value + 0.5f, 0), 255);

    /// <summary>A triangle wave smoothed to look like a sine, period 1, range [-1, 1].</summary>
    private static float Wave(float t)
    {
        t -= MathF.Floor(t);
        float triangle = MathF.Abs((2 * t) - 1);
        return (2 * triangle * triangle * (3 - (2 * triangle))) - 1;
    }

    /// <summary>Bilinear value noise with lattice constant <paramref name="cell"/>, range [-1, 1].</summary>
    private static float Blotch(int x, int y, int cell, uint seed)
    {
        // The offset keeps the dividend positive for windows that reach a little left of or above the plane's origin.
        int px = x + (1024 * cell);
        int py = y + (1024 * cell);
        int left = px / cell;
        int top = py / cell;
        float fx = (px - (left * cell)) / (float)cell;
        float fy = (py - (top * cell)) / (float)cell;
        float upper = Lattice(left, top, seed) + ((Lattice(left + 1, top, seed) - Lattice(left, top, seed)) * fx);
        float lower = Lattice(left, top + 1, seed) + ((Lattice(left + 1, top + 1, seed) - Lattice(left, top + 1, seed)) * fx);
        return upper + ((lower - upper) * fy);
    }

    private static float Lattice(int x, int y, uint seed) => Noise(Hash(~seed, x, y), 1);
}
