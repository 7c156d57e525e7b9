using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>
/// What a scene stands on: one to three materials, one under the other, with waving, slightly tilted borders; and the light over the whole picture.
/// </summary>
/// <param name="Stuff">Materials from the top.</param>
/// <param name="Borders">Height of each border at the plane's left edge, in pixels; one fewer than materials, ascending.</param>
/// <param name="Slope">Rows a border falls per column.</param>
/// <param name="Wave">Half height of a border's waves in pixels.</param>
/// <param name="Exposure">Factor on all brightness.</param>
/// <param name="LightX">Relative brightness gained per column.</param>
/// <param name="LightY">Relative brightness gained per row.</param>
/// <param name="Noise">Amplitude of the sensor's noise in grey levels.</param>
internal sealed record Ground(int[] Stuff, float[] Borders, float Slope, float Wave, float Exposure, float LightX, float LightY, float Noise)
{
    // Waves of this many columns; borders of a picture are parallel.
    private const int WaveLength = 29;

    /// <summary>Draws a ground for a plane of <paramref name="size"/> x <paramref name="size"/> pixels.</summary>
    /// <param name="size">Columns and rows.</param>
    /// <param name="max">Maximum number of materials.</param>
    /// <param name="seed">The scene's seed.</param>
    public static Ground Draw(int size, int max, ulong seed)
    {
        var random = new CounterRandom(seed, 5);
        int[] order = [.. Enumerable.Range(0, Synthetic.Stuff.Names.Length)];
        random.Shuffle<int>(order);
        int count = random.NextInt(1, max + 1);

        // Sky is above everything else, as people expect it.
        int[] stuff = [.. order.Take(count).OrderBy(s => s == 0 ? 0 : 1)];
        var borders = new float[count - 1];
        for (int i = 0; i < borders.Length; i++)
        {
            borders[i] = size * (float)((i + 1 + random.NextDouble(-0.25, 0.25)) / count);
        }

        return new Ground(
            stuff,
            borders,
            (float)random.NextDouble(-0.2, 0.2),
            (float)random.NextDouble(0, 0.04) * size,
            (float)random.NextDouble(0.72, 1.2),
            (float)random.NextDouble(-0.3, 0.3) / size,
            (float)random.NextDouble(-0.3, 0.3) / size,
            (float)random.NextDouble(3, 11));
    }

    /// <summary>The material at a place of a plane whose seed is given.</summary>
    public int At(int x, int y, uint seed)
    {
        if (Borders.Length == 0)
        {
            return Stuff[0];
        }

        float shift = (Slope * x) + (Wave * ValueNoise.At(x, 0, WaveLength, 1, seed));
        int band = 0;
        while (band < Borders.Length && y > Borders[band] + shift)
        {
            band++;
        }

        return Stuff[band];
    }
}
