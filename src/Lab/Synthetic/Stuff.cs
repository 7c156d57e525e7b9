namespace Ldvc.Lab.Synthetic;

/// <summary>
/// Ground materials of the "scenes" vocabulary. Each says how bright and which of its two tones a place of the plane is; only correctly rounded
/// float operations, so every machine draws the same bytes.
/// </summary>
internal static class Stuff
{
    /// <summary>Names, by the number used everywhere.</summary>
    public static readonly string[] Names = ["sky", "water", "grass", "sand", "brick", "wood", "stone", "snow"];

    // Main tone and second tone (mortar, joints, clouds, deep water, ...), sRGB.
    private static readonly ((byte R, byte G, byte B) Main, (byte R, byte G, byte B) Second)[] Tones =
    [
        ((112, 164, 216), (226, 232, 238)), ((28, 84, 112), (104, 158, 176)), ((62, 98, 34), (124, 152, 66)), ((204, 180, 132), (176, 148, 102)),
        ((138, 70, 54), (182, 174, 164)), ((142, 104, 66), (92, 62, 38)), ((134, 132, 128), (68, 66, 64)), ((228, 232, 238), (196, 206, 222)),
    ];

    /// <summary>The tones of a material.</summary>
    public static ((byte R, byte G, byte B) Main, (byte R, byte G, byte B) Second) TonesOf(int stuff) => Tones[stuff];

    /// <summary>The material at a place: the share of its second tone (0 to 1) and a change of brightness in grey levels.</summary>
    public static (float Second, float Shade) At(int stuff, int x, int y, uint seed) => stuff switch
    {
        0 => Sky(x, y, seed),
        1 => Water(x, y, seed),
        2 => Grass(x, y, seed),
        3 => Sand(x, y, seed),
        4 => Brick(x, y, seed),
        5 => Wood(x, y, seed),
        6 => Stone(x, y, seed),
        _ => Snow(x, y, seed),
    };

    // Soft clouds over two octaves.
    private static (float Second, float Shade) Sky(int x, int y, uint seed)
    {
        float clouds = ValueNoise.At(x, y, 46, 22, seed) + (0.5f * ValueNoise.At(x, y, 17, 11, seed + 1));
        return (Math.Clamp((1.4f * clouds) - 0.1f, 0, 1), 0);
    }

    // Ripples: long across, short down.
    private static (float Second, float Shade) Water(int x, int y, uint seed)
    {
        float ripple = ValueNoise.At(x, y, 21, 4, seed) + (0.6f * ValueNoise.At(x, y, 9, 3, seed + 1));
        return (Math.Clamp((1.5f * ripple) - 0.2f, 0, 1), 8 * ValueNoise.At(x, y, 60, 30, seed + 2));
    }

    // Blades: one or two pixels across, several down.
    private static (float Second, float Shade) Grass(int x, int y, uint seed)
    {
        float blades = 0.5f + (0.7f * ValueNoise.At(x, y, 2, 7, seed)) + (0.3f * ValueNoise.At(x, y, 30, 30, seed + 1));
        return (Math.Clamp(blades, 0, 1), 12 * ValueNoise.At(x, y, 3, 5, seed + 2));
    }

    // Grains over slow dunes.
    private static (float Second, float Shade) Sand(int x, int y, uint seed)
    {
        float dunes = 0.35f + (0.5f * ValueNoise.At(x, y, 52, 12, seed));
        return (Math.Clamp(dunes, 0, 1), 16 * ValueNoise.At(x, y, 2, 2, seed + 1));
    }

    // Rows of blocks, every other row moved by half a block; each block has its own brightness.
    private static (float Second, float Shade) Brick(int x, int y, uint seed)
    {
        const int Length = 22, Height = 10;
        int row = FloorDiv(y, Height);
        int shifted = x + ((row & 1) * (Length / 2));
        bool mortar = y - (row * Height) < 2 || shifted - (FloorDiv(shifted, Length) * Length) < 2;
        float block = BackgroundPainter.Noise(BackgroundPainter.Hash(seed, FloorDiv(shifted, Length), row), 20);
        return mortar ? (1, 0) : (0, block + (6 * ValueNoise.At(x, y, 3, 3, seed + 1)));
    }

    // Planks across, with grain along them and dark seams between.
    private static (float Second, float Shade) Wood(int x, int y, uint seed)
    {
        const int Height = 19;
        int plank = FloorDiv(y, Height);
        if (y - (plank * Height) < 1)
        {
            return (1, -20);
        }

        float grain = ValueNoise.At(x, y, 34, 2, seed + (uint)plank) + (0.4f * ValueNoise.At(x, y, 90, 5, seed + 7));
        return (Math.Clamp(0.3f + (0.5f * grain), 0, 1), BackgroundPainter.Noise(BackgroundPainter.Hash(seed, plank, 3), 14));
    }

    // Cobbles: the nearest and second nearest of jittered lattice points; where they are equally near is a joint.
    private static (float Second, float Shade) Stone(int x, int y, uint seed)
    {
        const int Cell = 17;
        int left = FloorDiv(x, Cell), top = FloorDiv(y, Cell);
        float first = float.MaxValue, second = float.MaxValue;
        uint nearest = 0;
        for (int row = top - 1; row <= top + 1; row++)
        {
            for (int column = left - 1; column <= left + 1; column++)
            {
                uint bits = BackgroundPainter.Hash(seed, column, row);
                float dx = (column * Cell) + ((bits & 255) * (Cell / 255f)) - x;
                float dy = (row * Cell) + (((bits >> 8) & 255) * (Cell / 255f)) - y;
                float distance = (dx * dx) + (dy * dy);
                if (distance < first)
                {
                    (first, second, nearest) = (distance, first, bits);
                }
                else if (distance < second)
                {
                    second = distance;
                }
            }
        }

        float edge = MathF.Sqrt(second) - MathF.Sqrt(first);
        return (edge < 2.2f ? 1 : 0, BackgroundPainter.Noise(nearest >> 16, 26));
    }

    private static (float Second, float Shade) Snow(int x, int y, uint seed) =>
        (Math.Clamp(0.4f + (0.9f * ValueNoise.At(x, y, 40, 18, seed)), 0, 1), 3 * ValueNoise.At(x, y, 2, 2, seed + 1));

    private static int FloorDiv(int a, int b) => a >= 0 ? a / b : -((b - 1 - a) / b);
}
