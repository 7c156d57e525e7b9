using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>Draws a scene's ground with its labels, and at the end the light and noise over everything.</summary>
internal static class GroundPainter
{
    /// <summary>
    /// Paints the whole window into <paramref name="pixels"/> [Height, Width, 3] and, if not empty, <paramref name="labels"/> [Height, Width].
    /// </summary>
    public static void Paint(Scene scene, Ground ground, Span<byte> pixels, Span<byte> labels)
    {
        uint seed = SeedOf(scene);
        Span<float> jitter = stackalloc float[3 * Stuff.Names.Length];
        var random = new CounterRandom(scene.Seed, 6);
        foreach (ref float value in jitter)
        {
            value = (float)random.NextDouble(-10, 10);
        }

        int at = 0;
        for (int row = 0; row < scene.Height; row++)
        {
            int y = row + scene.OriginY;
            for (int column = 0; column < scene.Width; column++, at++)
            {
                int x = column + scene.OriginX;
                int stuff = ground.At(x, y, seed);
                var (main, other) = Stuff.TonesOf(stuff);
                var (second, shade) = Stuff.At(stuff, x, y, seed + (uint)(1000 * (stuff + 1)));
                pixels[3 * at] = Tone(main.R, other.R, second, shade + jitter[3 * stuff]);
                pixels[(3 * at) + 1] = Tone(main.G, other.G, second, shade + jitter[(3 * stuff) + 1]);
                pixels[(3 * at) + 2] = Tone(main.B, other.B, second, shade + jitter[(3 * stuff) + 2]);
                if (labels.Length > 0)
                {
                    labels[at] = scene.Task.StuffId(stuff);
                }
            }
        }
    }

    /// <summary>Exposure, light from one side, and noise, over everything that has been drawn.</summary>
    public static void Photograph(Scene scene, Ground ground, Span<byte> pixels)
    {
        uint seed = SeedOf(scene) ^ 0x5EED;
        int at = 0;
        for (int row = 0; row < scene.Height; row++)
        {
            for (int column = 0; column < scene.Width; column++, at += 3)
            {
                int x = column + scene.OriginX, y = row + scene.OriginY;
                float light = ground.Exposure * (1 + (ground.LightX * x) + (ground.LightY * y));
                uint noise = BackgroundPainter.Hash(seed, x, y);
                for (int c = 0; c < 3; c++)
                {
                    pixels[at + c] = BackgroundPainter.ToByte((light * pixels[at + c]) + BackgroundPainter.Noise(noise >> (8 * c), ground.Noise));
                }
            }
        }
    }

    private static uint SeedOf(Scene scene) => (uint)(scene.Seed >> 16);

    private static byte Tone(byte main, byte second, float share, float shade) => BackgroundPainter.ToByte(main + ((second - main) * share) + shade);
}
