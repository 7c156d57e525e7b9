namespace Ldvc.Lab.Synthetic;

/// <summary>How a background is drawn over its base tone.</summary>
internal enum BackgroundPattern
{
    /// <summary>One tone, only noise.</summary>
    Flat,

    /// <summary>A slow linear change of brightness.</summary>
    Gradient,

    /// <summary>Wide stripes of low contrast.</summary>
    Stripes,

    /// <summary>Smooth blotches.</summary>
    Blotches,
}

/// <summary>
/// One object. Centre and size (diameter of the shape's bounding circle) are in pixels of the scene; <paramref name="Tilt"/> is tan(angle / 2), which
/// gives sine and cosine by divisions alone; <paramref name="Style"/> seeds what is left (texture phase, light, colour jitter).
/// </summary>
internal readonly record struct PlacedObject(SceneClass Class, float X, float Y, float Size, float Tilt, ulong Style);

/// <summary>
/// A picture to be drawn: the window [OriginX, OriginX + Width) x [OriginY, OriginY + Height) of the plane the objects lie on; later objects cover
/// earlier ones. The window does not change what is drawn at a place, so a small window is an exact crop of a large one.
/// </summary>
internal sealed record Scene(int Width, int Height, ulong Seed, int Background, BackgroundPattern Pattern, PlacedObject[] Objects)
{
    /// <summary>Whose classes the labels are.</summary>
    public required SceneTask Task { get; init; }

    /// <summary>What things stand on; null for a plain background.</summary>
    public Ground? Ground { get; init; }

    /// <summary>Left edge of the window.</summary>
    public int OriginX { get; init; }

    /// <summary>Top edge of the window.</summary>
    public int OriginY { get; init; }
}
