using Ldvc.Tensors;

namespace Ldvc.Lab.Synthetic;

/// <summary>What an object's surface looks like: two colours, the pattern between them, the light over it. Lengths in pixels.</summary>
internal readonly struct SurfaceStyle
{
    // Squared dot radius in periods: about 30 % of the surface is dots, against half of it for stripes and checks.
    private const float DotRadiusSquared = 0.095f;

    private const int Zigzag = 4;
    private const int Ringed = 5;
    private const int Netted = 6;
    private const int Speckled = 7;

    private readonly int _texture;
    private readonly uint _speckles;
    private readonly float _cos;
    private readonly float _sin;
    private readonly float _perPixel;
    private readonly float _phaseA;
    private readonly float _phaseB;

    /// <summary>Draws the style of an object from its class and style seed.</summary>
    /// <param name="placed">The object.</param>
    /// <param name="magnification">Factor on the pattern's period.</param>
    public SurfaceStyle(PlacedObject placed, float magnification = 1)
    {
        var random = new CounterRandom(placed.Style, 1);
        (byte r, byte g, byte b) = Vocabulary.ColourValues[placed.Class.Colour];
        R = r + (float)random.NextDouble(-12, 12);
        G = g + (float)random.NextDouble(-12, 12);
        B = b + (float)random.NextDouble(-12, 12);

        // The second colour is dark, or for half of the objects nearly white, unless white would hardly show against the first.
        bool isLight = g > 210;
        bool bright = random.NextDouble() < 0.5 && !isLight;
        float mix = bright ? 0.8f : (float)random.NextDouble(0.65, 0.75);
        float target = bright ? 250 : 16;
        SecondR = R + ((target - R) * mix);
        SecondG = G + ((target - G) * mix);
        SecondB = B + ((target - B) * mix);

        _texture = placed.Class.Texture;
        double tilt = random.NextDouble(-1, 1);
        double norm = 1 / (1 + (tilt * tilt));
        _cos = (float)((1 - (tilt * tilt)) * norm);
        _sin = (float)(2 * tilt * norm);
        double period = _texture switch
        {
            1 => random.NextDouble(5.5, 7.5),
            2 => random.NextDouble(6, 7.5),
            _ => random.NextDouble(7, 9),
        };
        _perPixel = (float)(1 / period) / magnification;
        _phaseA = (float)random.NextDouble();
        _phaseB = (float)random.NextDouble();
        _speckles = (uint)placed.Style;
        LightX = (float)random.NextDouble(-0.16, 0.16);
        LightY = (float)random.NextDouble(-0.16, 0.16);
    }

    /// <summary>Base colour, 0..255.</summary>
    public readonly float R, G, B;

    /// <summary>Pattern colour, 0..255.</summary>
    public readonly float SecondR, SecondG, SecondB;

    /// <summary>Relative brightness gained per object radius to the right and upwards.</summary>
    public readonly float LightX, LightY;

    /// <summary>Whether the point (dx, dy), pixels from the object's centre, shows the second colour.</summary>
    public bool IsSecond(float dx, float dy)
    {
        if (_texture == 0)
        {
            return false;
        }

        float a = ((((_cos * dx) + (_sin * dy)) * _perPixel) + _phaseA);
        a -= MathF.Floor(a);
        if (_texture == 1)
        {
            return a < 0.5f;
        }

        if (_texture == Ringed)
        {
            float r = (MathF.Sqrt((dx * dx) + (dy * dy)) * _perPixel) + _phaseA;
            return r - MathF.Floor(r) < 0.5f;
        }

        if (_texture == Speckled)
        {
            // Squares of two fifths of a period, a third of them dark.
            int column = (int)MathF.Floor(2.5f * dx * _perPixel), row = (int)MathF.Floor(2.5f * dy * _perPixel);
            return (BackgroundPainter.Hash(_speckles, column, row) & 255) < 85;
        }

        float b = ((((_cos * dy) - (_sin * dx)) * _perPixel) + _phaseB);
        b -= MathF.Floor(b);
        if (_texture == Zigzag)
        {
            // Stripes that swing by half a period to and fro.
            float swung = a + MathF.Abs((2 * b) - 1);
            return swung - MathF.Floor(swung) < 0.5f;
        }

        if (_texture == Netted)
        {
            return a < 0.24f || b < 0.24f;
        }

        if (_texture == 2)
        {
            a -= 0.5f;
            b -= 0.5f;
            return (a * a) + (b * b) < DotRadiusSquared;
        }

        return (a < 0.5f) != (b < 0.5f);
    }
}
