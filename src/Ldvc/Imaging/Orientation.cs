namespace Ldvc.Imaging;

/// <summary>The eight EXIF orientations as index arithmetic: where an upright pixel lies in the stored rows.</summary>
internal static class Orientation
{
    /// <summary>
    /// Copies stored RGBA rows to an upright RGB picture. <paramref name="orientation"/> is EXIF's 1..8; anything else counts as 1.
    /// </summary>
    public static unsafe RgbImage ToUprightRgb(byte* rgba, int storedWidth, int storedHeight, int orientation)
    {
        (int width, int height, long start, long stepX, long stepY) = Map(storedWidth, storedHeight, orientation);
        var image = new RgbImage(width, height);
        fixed (byte* pixels = image.Pixels)
        {
            byte* destination = pixels;
            for (int y = 0; y < height; y++)
            {
                byte* source = rgba + (4 * (start + (y * stepY)));
                for (int x = 0; x < width; x++, source += 4 * stepX, destination += 3)
                {
                    destination[0] = source[0];
                    destination[1] = source[1];
                    destination[2] = source[2];
                }
            }
        }

        return image;
    }

    /// <summary>The same for one number per pixel; the stored array itself when there is nothing to turn.</summary>
    public static (int Width, int Height, T[] Values) ToUpright<T>(T[] stored, int storedWidth, int storedHeight, int orientation)
    {
        if (orientation is < 2 or > 8)
        {
            return (storedWidth, storedHeight, stored);
        }

        (int width, int height, long start, long stepX, long stepY) = Map(storedWidth, storedHeight, orientation);
        var upright = new T[stored.Length];
        int at = 0;
        for (int y = 0; y < height; y++)
        {
            long source = start + (y * stepY);
            for (int x = 0; x < width; x++, source += stepX)
            {
                upright[at++] = stored[source];
            }
        }

        return (width, height, upright);
    }

    // The upright size, where its first pixel is stored, and the steps to the next column and row: the map is affine, so three of its values give
    // all.
    private static (int Width, int Height, long Start, long StepX, long StepY) Map(int storedWidth, int storedHeight, int orientation)
    {
        bool swapsSides = orientation is >= 5 and <= 8;
        int width = swapsSides ? storedHeight : storedWidth;
        int height = swapsSides ? storedWidth : storedHeight;
        long start = StoredIndex(0, 0);
        return (width, height, start, width > 1 ? StoredIndex(1, 0) - start : 0, height > 1 ? StoredIndex(0, 1) - start : 0);

        long StoredIndex(int x, int y)
        {
            int right = storedWidth - 1, bottom = storedHeight - 1;
            (int column, int row) = orientation switch
            {
                2 => (right - x, y),
                3 => (right - x, bottom - y),
                4 => (x, bottom - y),
                5 => (y, x),
                6 => (y, bottom - x),
                7 => (right - y, bottom - x),
                8 => (right - y, x),
                _ => (x, y),
            };
            return ((long)row * storedWidth) + column;
        }
    }
}
