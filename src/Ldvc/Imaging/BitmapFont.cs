namespace Ldvc.Imaging;

/// <summary>
/// A fixed-width bitmap font, so that text looks the same on every machine and needs no installed fonts (the Skia build used here finds none).
/// Printable ASCII; every other character is drawn as '?'.
/// </summary>
internal static class BitmapFont
{
    /// <summary>Columns of ink in a glyph at scale 1.</summary>
    public const int GlyphWidth = 5;

    /// <summary>Rows of a glyph at scale 1: seven above the base line, two below.</summary>
    public const int GlyphHeight = 9;

    /// <summary>Columns from one glyph to the next at scale 1.</summary>
    public const int Advance = GlyphWidth + 1;

    /// <summary>Width in pixels of <paramref name="text"/> at <paramref name="scale"/>.</summary>
    public static int Measure(string text, int scale) => text.Length == 0 ? 0 : ((text.Length * Advance) - 1) * scale;

    /// <summary>Draws <paramref name="text"/> with its top left corner at (left, top); what falls outside the picture is left out.</summary>
    public static void Draw(RgbImage image, string text, int left, int top, int scale, (byte R, byte G, byte B) colour)
    {
        for (int i = 0; i < text.Length; i++)
        {
            for (int row = 0; row < GlyphHeight; row++)
            {
                for (int column = 0; column < GlyphWidth; column++)
                {
                    if (HasInk(text[i], column, row))
                    {
                        FillRectangle(image, left + (((i * Advance) + column) * scale), top + (row * scale), scale, scale, colour);
                    }
                }
            }
        }
    }

    /// <summary>Whether a glyph has ink at (column, row).</summary>
    public static bool HasInk(char character, int column, int row)
    {
        int index = (character is >= ' ' and <= '~' ? character : '?') - ' ';
        string line = BitmapFontGlyphs.Rows[((index / BitmapFontGlyphs.PerBlock) * GlyphHeight) + row];
        return line[((index % BitmapFontGlyphs.PerBlock) * Advance) + column] == '#';
    }

    /// <summary>Fills a rectangle, clipped to the picture.</summary>
    public static void FillRectangle(RgbImage image, int left, int top, int width, int height, (byte R, byte G, byte B) colour)
    {
        int right = Math.Min(left + width, image.Width);
        int bottom = Math.Min(top + height, image.Height);
        for (int y = Math.Max(top, 0); y < bottom; y++)
        {
            for (int x = Math.Max(left, 0); x < right; x++)
            {
                int i = 3 * ((y * image.Width) + x);
                image.Pixels[i] = colour.R;
                image.Pixels[i + 1] = colour.G;
                image.Pixels[i + 2] = colour.B;
            }
        }
    }
}
