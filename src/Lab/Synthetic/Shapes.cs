namespace Ldvc.Lab.Synthetic;

/// <summary>
/// An outline: which points of the square [-1, 1] x [-1, 1] (y up) lie inside. Only additions, multiplications and comparisons, so that every machine
/// draws the same bits; struct implementations let the JIT inline them into the rasteriser.
/// </summary>
internal interface IShape
{
    /// <summary>Whether (x, y) is inside.</summary>
    static abstract bool Inside(float x, float y);
}

internal readonly struct CircleShape : IShape
{
    public static bool Inside(float x, float y) => (x * x) + (y * y) <= 0.88f;
}

internal readonly struct SquareShape : IShape
{
    public static bool Inside(float x, float y) => MathF.Abs(x) <= 0.78f && MathF.Abs(y) <= 0.78f;
}

/// <summary>Isosceles, point up, slightly wider than high.</summary>
internal readonly struct TriangleShape : IShape
{
    public static bool Inside(float x, float y) => y >= -0.72f && y + (1.75f * MathF.Abs(x)) <= 0.95f;
}

/// <summary>Five points: the plane is folded along the star's mirror lines until one edge is left to test.</summary>
internal readonly struct StarShape : IShape
{
    // Unit normals of the mirror lines at 54 and 126 degrees, and the edge from the tip (0, 1) to the inner corner at radius 0.46.
    private const float Nx = 0.809017f;
    private const float Ny = 0.587785f;
    private const float InnerX = 0.270381f;
    private const float InnerY = 0.372148f;

    public static bool Inside(float x, float y)
    {
        x = MathF.Abs(x);
        float d = 2 * MathF.Max((Nx * x) - (Ny * y), 0);
        x -= d * Nx;
        y += d * Ny;
        d = 2 * MathF.Max((-Nx * x) - (Ny * y), 0);
        x = MathF.Abs(x + (d * Nx));
        y += d * Ny;
        return (x * (1 - InnerY)) + (y * InnerX) <= InnerX;
    }
}

/// <summary>A plus sign.</summary>
internal readonly struct CrossShape : IShape
{
    public static bool Inside(float x, float y)
    {
        x = MathF.Abs(x);
        y = MathF.Abs(y);
        return MathF.Max(x, y) <= 0.94f && MathF.Min(x, y) <= 0.31f;
    }
}

internal readonly struct RingShape : IShape
{
    public static bool Inside(float x, float y)
    {
        float r = (x * x) + (y * y);
        return r is <= 0.96f and >= 0.25f;
    }
}

/// <summary>The sextic (x^2 + y^2 - 1)^3 = x^2 y^3, scaled to fit.</summary>
internal readonly struct HeartShape : IShape
{
    public static bool Inside(float x, float y)
    {
        x *= 1.2f;
        y = (y * 1.15f) + 0.1f;
        float r = (x * x) + (y * y) - 1;
        return r * r * r <= x * x * y * y * y;
    }
}

/// <summary>A rhombus, higher than wide.</summary>
internal readonly struct DiamondShape : IShape
{
    public static bool Inside(float x, float y) => (1.5f * MathF.Abs(x)) + MathF.Abs(y) <= 1;
}
