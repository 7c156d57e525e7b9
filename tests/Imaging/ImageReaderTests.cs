using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Imaging;

public class ImageReaderTests
{
    [Theory]
    [InlineData("rgb.png")]
    [InlineData("grey.png")]
    [InlineData("bit.png")]
    [InlineData("palette.png")]
    [InlineData("rgba.png")]
    [InlineData("greyalpha.png")]
    [InlineData("palettealpha.png")]
    [InlineData("rgb16.png")]
    [InlineData("grey16.png")]
    [InlineData("lossless.webp")]
    [InlineData("rgba.webp")]
    [InlineData("rgb.bmp")]
    [InlineData("still.gif")]
    [InlineData("moving.gif")]
    public void LosslessPicturesAreExact(string name)
        => Assert.Equal(0, ImageFixtures.MaxDifference(ImageReader.Read(ImageFixtures.Path_(name)), ImageFixtures.Rgb(name)));

    [Theory]
    [InlineData("rgb.jpg", 2, 0.1)]
    [InlineData("rgb444.jpg", 2, 0.1)]
    [InlineData("progressive.jpg", 2, 0.1)]
    [InlineData("grey.jpg", 1, 0.1)]
    [InlineData("cmyk.jpg", 2, 0.5)]
    [InlineData("lossy.webp", 2, 0.1)]
    public void LossyPicturesAgreeWithPillow(string name, int max, double mean)
    {
        var actual = ImageReader.Read(ImageFixtures.Path_(name));
        var expected = ImageFixtures.Rgb(name);
        Assert.True(
            ImageFixtures.MaxDifference(actual, expected) <= max && ImageFixtures.MeanDifference(actual, expected) <= mean,
            $"max {ImageFixtures.MaxDifference(actual, expected)}, mean {ImageFixtures.MeanDifference(actual, expected)}");
    }

    [Fact]
    public void ExifOrientationsAreUndone()
    {
        var stored = ImageReader.Read(ImageFixtures.Path_("exif1.jpg"));
        Assert.InRange(ImageFixtures.MaxDifference(stored, ImageFixtures.Rgb("exif1.jpg")), 0, 2);
        Assert.InRange(ImageFixtures.MaxDifference(ImageReader.Read(ImageFixtures.Path_("exif6.jpg")), ImageFixtures.Rgb("exif6.jpg")), 0, 2);

        // Orientations are made of mirrors and one transposition; the composition is written out here, the code computes indices.
        Func<RgbImage, RgbImage>[] steps =
        [
            i => i, MirrorX, i => MirrorX(MirrorY(i)), MirrorY, Transpose, i => Transpose(MirrorY(i)), i => Transpose(MirrorX(MirrorY(i))),
            i => Transpose(MirrorX(i)),
        ];
        for (int orientation = 1; orientation <= 8; orientation++)
        {
            var actual = ImageReader.Read(ImageFixtures.Path_($"exif{orientation}.jpg"));
            Assert.Equal(0, ImageFixtures.MaxDifference(actual, steps[orientation - 1](stored)));
        }
    }

    [Theory]
    [InlineData("rgb.truncated.jpg")]
    [InlineData("rgb.truncated.png")]
    [InlineData("huge.png")]
    [InlineData("no-such-file.png")]
    [InlineData("../images")]
    public void BadFilesAreOneSentenceNamingTheFile(string name)
    {
        var error = Assert.Throws<InputException>(() => ImageReader.Read(ImageFixtures.Path_(name)));
        Assert.Contains(name, error.Message);
        Assert.DoesNotContain("\n", error.Message);
    }

    [Theory]
    [InlineData("rgb.jpg")]
    [InlineData("grey.jpg")]
    [InlineData("cmyk.jpg")]
    [InlineData("exif6.jpg")]
    [InlineData("progressive.jpg")]
    public void AJpegWithoutItsEndIsRefusedWhereverItStops(string name)
    {
        byte[] whole = File.ReadAllBytes(ImageFixtures.Path_(name));

        // A thumbnail among the notes has an end of its own.
        byte[] notes = [0xFF, 0xD8, 0xFF, 0xE1, (byte)((whole.Length + 2) >> 8), (byte)(whole.Length + 2), .. whole, .. whole.AsSpan(2)];
        foreach (byte[] file in new[] { whole, notes })
        {
            RgbImage picture = ImageReader.Decode(file, name);
            Assert.Equal(picture.Pixels, ImageReader.Decode([.. file, .. "what a camera puts behind it"u8], name).Pixels);
            for (int cut = file.Length - whole.Length + 1; cut < file.Length; cut++)
            {
                // A download that ended early, and a disk that gives zeros for what it has lost.
                foreach (byte[] broken in new[] { file[..cut], [.. file[..cut], .. new byte[file.Length - cut]] })
                {
                    Assert.StartsWith($"{name}: ", Assert.Throws<InputException>(() => ImageReader.Decode(broken, name)).Message);
                }
            }
        }
    }

    [Fact]
    public void HugeHeadersAreRefusedWithoutAllocating()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InputException>(() => ImageReader.Read(ImageFixtures.Path_("huge.png")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void RandomBytesAndTruncationsNeverEscapeAsOtherErrors()
    {
        var random = new CounterRandom(11);
        foreach (string name in new[] { "rgb.png", "rgb.jpg", "lossless.webp", "still.gif", "rgb.bmp" })
        {
            byte[] file = File.ReadAllBytes(ImageFixtures.Path_(name));
            for (int i = 0; i < 60; i++)
            {
                byte[] copy = i % 2 == 0 ? file[..random.NextInt(file.Length)] : (byte[])file.Clone();
                for (int k = 0; k < i % 7 && copy.Length > 0; k++)
                {
                    copy[random.NextInt(copy.Length)] = (byte)random.NextBits();
                }

                try
                {
                    ImageReader.Decode(copy, name);
                }
                catch (InputException)
                {
                    // The only error allowed.
                }
            }
        }
    }

    [Fact]
    public void PngWrittenIsReadBackExactly()
    {
        var image = ImageFixtures.Rgb("resample-source");
        var decoded = ImageReader.Decode(ImageWriter.EncodePng(image), "memory");
        Assert.Equal(image.Pixels, decoded.Pixels);

        string folder = Directory.CreateTempSubdirectory("ldvc-images").FullName;
        try
        {
            string path = Path.Combine(folder, "a.png");
            ImageWriter.WritePng(image, path);
            ImageWriter.WritePng(image, path);
            Assert.Equal(image.Pixels, ImageReader.Read(path).Pixels);
            Assert.Equal([path], Directory.GetFiles(folder));
            var error = Assert.Throws<InputException>(() => ImageWriter.WritePng(image, Path.Combine(folder, "missing", "a.png")));
            Assert.Contains("missing", error.Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("II*\0\b\0\0\0", "a TIFF")]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0", "a HEIC or a film")]
    [InlineData("\0\0\0\u0018ftypavif\0\0\0\0", "an AVIF")]
    [InlineData("<!DOCTYPE HTML><title>404</title>", "a web page")]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG or other XML")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer (the file itself was not downloaded)")]
    [InlineData("\u00FF\u00D8\u00FF\u00E0", "a JPEG")]
    [InlineData("hello", "text")]
    [InlineData("\u0001\u0002\u0003", null)]
    public void WhatIsNoPictureIsSaid(string content, string? found)
    {
        byte[] bytes = System.Text.Encoding.Latin1.GetBytes(content);
        string end = found is null ? ")" : $", found {found})";
        string expected = $"x: not a picture that can be read (expected an intact JPEG, PNG, WebP, BMP or GIF{end}";
        Assert.Equal(expected, Assert.Throws<InputException>(() => ImageReader.Decode(bytes, "x")).Message);
        Assert.Equal(expected, Assert.Throws<InputException>(() => PictureSize.Of(bytes, "x")).Message);
    }

    private static RgbImage MirrorX(RgbImage i) => Map(i, i.Width, i.Height, (x, y) => (i.Width - 1 - x, y));

    private static RgbImage MirrorY(RgbImage i) => Map(i, i.Width, i.Height, (x, y) => (x, i.Height - 1 - y));

    private static RgbImage Transpose(RgbImage i) => Map(i, i.Height, i.Width, (x, y) => (y, x));

    private static RgbImage Map(RgbImage image, int width, int height, Func<int, int, (int X, int Y)> source)
    {
        var result = new RgbImage(width, height);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                var (sx, sy) = source(x, y);
                image.Pixels.AsSpan(3 * ((sy * image.Width) + sx), 3).CopyTo(result.Pixels.AsSpan(3 * ((y * width) + x)));
            }
        }

        return result;
    }
}
