using Ldvc.Imaging;
using Xunit;

namespace Ldvc.Tests.Imaging;

public class OverlayTests
{
    // The letters of the legend are ASCII's: names of other scripts would all look alike.
    [Theory]
    [InlineData("\u732B", "class 1")]
    [InlineData("caf\u00E9", "caf? (class 1)")]
    [InlineData("what? ~", "what? ~")]
    public void NamesOfOtherScriptsAreShownByTheirNumber(string name, string shown)
    {
        var image = new RgbImage(300, 20);
        var labels = new LabelMap(300, 20);
        Array.Fill(labels.Labels, (byte)1);
        Assert.Equal(Overlay.Render(image, labels, ["a", shown]).Pixels, Overlay.Render(image, labels, ["a", name]).Pixels);
    }

    [Fact]
    public void MasksContoursAndLegendAreWhereTheyBelong()
    {
        var image = new RgbImage(300, 80);
        Array.Fill(image.Pixels, (byte)100);
        var labels = new LabelMap(300, 80);
        Array.Fill(labels.Labels, LabelMap.Ignore);
        for (int y = 20; y < 60; y++)
        {
            labels.Labels.AsSpan((y * 300) + 50, 100).Fill(2);
        }

        var palette = LabelPalette.Bright;
        var result = Overlay.Render(image, labels, ["cat", "dog", "sheep"], palette);
        Assert.Equal(300, result.Width);
        Assert.InRange(result.Height, 81, 140);
        Assert.Equal((100, 100, 100), Pixel(result, 10, 10));
        var inside = Pixel(result, 100, 40);
        Assert.NotEqual((100, 100, 100), inside);
        Assert.Equal(Blend(100, palette[2].R), inside.R);
        Assert.Equal(Blend(100, palette[2].G), inside.G);
        Assert.Equal(Blend(100, palette[2].B), inside.B);
        Assert.True(Pixel(result, 149, 40).G > 200, "no contour at the right edge");
        Assert.True(Pixel(result, 100, 59).G > 200, "no contour at the lower edge");
        Assert.Equal(inside, Pixel(result, 148, 40));

        // The legend shows the colour of the class present, not that of an absent one, and dark text.
        var legend = Enumerable.Range(80, result.Height - 80).SelectMany(y => Enumerable.Range(0, 300).Select(x => Pixel(result, x, y))).ToHashSet();
        Assert.Contains(palette[2], legend);
        Assert.DoesNotContain(palette[0], legend);
        Assert.Contains(((byte)32, (byte)32, (byte)32), legend);
    }

    [Fact]
    public void LongNamesWidenTheResultAndManyClassesMakeRows()
    {
        var image = new RgbImage(40, 30);
        var labels = new LabelMap(40, 30);
        string longName = new('w', 60);
        var wide = Overlay.Render(image, labels, [longName]);
        Assert.True(wide.Width > BitmapFont.Measure(longName, 1));
        for (int i = 0; i < labels.Labels.Length; i++)
        {
            labels.Labels[i] = (byte)(i % 200);
        }

        var many = Overlay.Render(image, labels, [.. Enumerable.Range(0, 200).Select(i => $"class {i}")]);
        Assert.True(many.Height > 200 * 10);
    }

    [Fact]
    public void LabelsWithoutNameOrOfAnotherSizeAreCallersErrors()
    {
        Assert.Throws<ArgumentException>(() => Overlay.Render(new RgbImage(2, 2), new LabelMap(2, 2, [0, 1, 2, 255]), ["a", "b"]));
        Assert.Throws<ArgumentException>(() => Overlay.Render(new RgbImage(2, 2), new LabelMap(2, 3), ["a"]));
    }

    [Fact]
    public void EveryPrintableCharacterHasItsOwnGlyph()
    {
        var seen = new Dictionary<string, char>();
        for (char c = ' '; c <= '~'; c++)
        {
            string shape = Shape(c);
            Assert.True(seen.TryAdd(shape, c), $"'{c}' looks like '{seen.GetValueOrDefault(shape)}'");
            Assert.Equal(c == ' ', !shape.Contains('#'));
        }

        Assert.Equal(Shape('?'), Shape('\u00e9'));
        Assert.All(BitmapFontGlyphs.Rows, row => Assert.True(row.Length is 95 or 89));
        Assert.Equal(6 * BitmapFont.GlyphHeight, BitmapFontGlyphs.Rows.Length);
    }

    private static string Shape(char c) => string.Concat(
        Enumerable.Range(0, BitmapFont.GlyphHeight * BitmapFont.GlyphWidth)
            .Select(i => BitmapFont.HasInk(c, i % BitmapFont.GlyphWidth, i / BitmapFont.GlyphWidth) ? '#' : '.'));

    private static byte Blend(int below, int above) => (byte)(((below * 116) + (above * 140) + 128) / 256);

    private static (byte R, byte G, byte B) Pixel(RgbImage image, int x, int y)
    {
        int i = 3 * ((y * image.Width) + x);
        return (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2]);
    }
}
