namespace Ldvc.Imaging;

/// <summary>How much memory pictures take.</summary>
internal static class PixelBytes
{
    /// <summary>The bytes of a picture.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or the bytes are more than an array has room for.</exception>
    internal static int Of(int width, int height, int each)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        return (long)width * height <= Array.MaxLength / each
            ? each * width * height
            : throw new ArgumentOutOfRangeException(
                nameof(width), $"picture {width}x{height}: expected at most {Array.MaxLength / each} pixels, got {(long)width * height}");
    }
}
