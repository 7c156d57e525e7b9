namespace Ldvc.Imaging;

/// <summary>An 8-bit sRGB picture: rows from the top, interleaved R, G, B, no padding, no alpha.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps existing pixels of length 3 * width * height.</summary>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.LongLength != 3L * width * height)
        {
            throw new ArgumentException($"expected {3L * width * height} bytes for {width}x{height} RGB, got {pixels.LongLength}", nameof(pixels));
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>A black picture.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or both are more than an array has room for.</exception>
    public RgbImage(int width, int height)
        : this(width, height, new byte[PixelBytes.Of(width, height, 3)])
    {
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>The picture mirrored, left and right exchanged.</summary>
    internal RgbImage Mirrored()
    {
        var mirrored = new RgbImage(Width, Height);
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                Pixels.AsSpan(3 * ((y * Width) + x), 3).CopyTo(mirrored.Pixels.AsSpan(3 * ((y * Width) + Width - 1 - x)));
            }
        }

        return mirrored;
    }

    /// <summary>[Height, Width, 3].</summary>
    public byte[] Pixels { get; }
}
