using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Tensors;
using Ldvc.Tests.Imaging;
using Xunit;
using ImageStatistics = Ldvc.Imaging.ImageStatistics;

namespace Ldvc.Tests.Data;

public class AugmentationTests
{
    [Theory]
    [InlineData(500, 375, 2048, 512, 683, 512)]
    [InlineData(500, 375, 1024, 256, 341, 256)]
    [InlineData(1000, 100, 2048, 512, 2048, 205)]
    [InlineData(100, 1000, 4096, 1024, 410, 4096)]
    public void BoxRule(int width, int height, int longSide, int shortSide, int expectedWidth, int expectedHeight)
        => Assert.Equal((expectedWidth, expectedHeight), Augmentation.FitBox(width, height, longSide, shortSide));

    [Theory]
    [InlineData(500, 375, 512, 683, 512)]
    [InlineData(375, 500, 512, 512, 683)]
    [InlineData(1000, 100, 512, 5120, 512)]
    [InlineData(100, 1000, 64, 64, 640)]
    [InlineData(333, 1000, 512, 512, 1538)]
    [InlineData(1, 1, 512, 512, 512)]
    public void ExactShortSideRule(int width, int height, int shortSide, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), Augmentation.FitShortSide(width, height, shortSide));

    [Fact]
    public void ShortSidesAreExactForEverySize()
    {
        for (int side = 1; side < 2000; side += 7)
        {
            for (int other = side; other < 4 * side; other += 13)
            {
                Assert.Equal(512, Math.Min(Augmentation.FitShortSide(side, other, 512).Width, Augmentation.FitShortSide(other, side, 512).Height));
            }
        }
    }

    [Fact]
    public void LongAndNarrowPicturesAreRefusedWhereTheShortSideIsExact() =>
        Assert.Contains(
            "a picture of 1x60000 pixels is too long and narrow",
            Assert.Throws<InputException>(() => Augmentation.FitShortSide(1, 60000, 512)).Message);

    [Fact]
    public void WithEverythingOffThePictureIsNormalisedAndPadded()
    {
        var image = TinyData.Pattern(6, 4);
        var labels = TinyData.Labels(6, 4, 0, 1, 2);
        var options = Plain with { Crop = 16, Scale = [6, 4] };
        var (pixels, sampleLabels) = Run(options, image, labels, 0);
        var statistics = ImageStatistics.Clip;
        for (int y = 0; y < 16; y++)
        {
            for (int x = 0; x < 16; x++)
            {
                bool inside = x < 6 && y < 4;
                Assert.Equal(inside ? labels.Labels[(y * 6) + x] : 255, sampleLabels[(y * 16) + x]);
                for (int c = 0; c < 3; c++)
                {
                    double expected = inside ? ((image.Pixels[(3 * ((y * 6) + x)) + c] / 255.0) - statistics.Mean[c]) / statistics.Std[c] : 0;
                    Assert.Equal(expected, pixels[(c * 256) + (y * 16) + x], 1e-5);
                }
            }
        }
    }

    [Fact]
    public void PicturesAndLabelsMoveTogether()
    {
        // Every colour encodes its label, so after any crop, flip and resize (by 2, nearest and bilinear agree inside flats) they must still agree.
        var image = new RgbImage(40, 24);
        var labels = new LabelMap(40, 24);
        for (int i = 0; i < labels.Labels.Length; i++)
        {
            labels.Labels[i] = (byte)((i % 40 / 8) + (i / 320 * 5));
            image.Pixels[3 * i] = (byte)(labels.Labels[i] * 10);
        }

        var options = Plain with { Crop = 16, Scale = [80, 48], Flip = 0.5, CatMaxRatio = 0.75 };
        var offsets = new HashSet<string>();
        for (ulong stream = 0; stream < 40; stream++)
        {
            var (pixels, sampleLabels) = Run(options, image, labels, stream);
            int agreeing = 0;
            for (int i = 0; i < sampleLabels.Length; i++)
            {
                double red = 255 * ((pixels[i] * ImageStatistics.Clip.Std[0]) + ImageStatistics.Clip.Mean[0]);
                agreeing += Math.Abs(red - (10 * sampleLabels[i])) < 0.01 ? 1 : 0;
            }

            Assert.True(agreeing > 150, $"only {agreeing} of 256 agree");
            offsets.Add(string.Join(',', sampleLabels));
        }

        Assert.True(offsets.Count > 20, "crops hardly vary");
    }

    [Fact]
    public void FlipMirrorsBoth()
    {
        var image = TinyData.Pattern(16, 16);
        var labels = TinyData.Labels(16, 16, 0, 1, 2, 3, 4, 5, 6, 7);
        var options = Plain with { Crop = 16, Scale = [16, 16] };
        var (straight, straightLabels) = Run(options, image, labels, 3);
        var (flipped, flippedLabels) = Run(options with { Flip = 1 }, image, labels, 3);
        for (int i = 0; i < 256; i++)
        {
            int mirrored = (i / 16 * 16) + 15 - (i % 16);
            Assert.Equal(straightLabels[i], flippedLabels[mirrored]);
            Assert.Equal(straight[512 + i], flipped[512 + mirrored]);
        }
    }

    [Fact]
    public void CropsAvoidASingleClass()
    {
        // One corner holds another class; a crop without it is drawn again.
        var labels = new LabelMap(64, 64);
        for (int i = 0; i < 64 * 64; i++)
        {
            labels.Labels[i] = i / 64 < 24 && i % 64 < 24 ? (byte)1 : (byte)0;
        }

        int Mixed(double ratio, int tries)
        {
            int mixed = 0;
            for (ulong stream = 0; stream < 300; stream++)
            {
                var random = new CounterRandom(5, stream);
                var (left, top) = RandomCrop.Draw(labels, Plain with { Crop = 20, CatMaxRatio = ratio, CropTries = tries }, ref random);
                int ones = Math.Min(20, Math.Max(0, 24 - left)) * Math.Min(20, Math.Max(0, 24 - top));
                double largest = Math.Max(ones, 400 - ones) / 400.0;
                mixed += ones is > 0 and < 400 && largest < 0.75 ? 1 : 0;
            }

            return mixed;
        }

        int once = Mixed(1, 10);
        Assert.InRange(once, 5, 100);
        Assert.Equal(once, Mixed(0.75, 0));
        Assert.True(Mixed(0.75, 10) > 3 * once);

        // 255 counts neither as a class nor as area.
        var ignored = TinyData.Labels(30, 30, 0, 255, 255, 255);
        var drawn = new CounterRandom(1);
        RandomCrop.Draw(ignored, Plain with { Crop = 10, CatMaxRatio = 0.75, CropTries = 10 }, ref drawn);
        Assert.Equal(22UL, drawn.Counter);
    }

    [Fact]
    public void SameStreamSameSampleOtherStreamAnother()
    {
        var image = TinyData.Pattern(50, 40);
        var labels = TinyData.Labels(50, 40, 0, 1, 2, 3, 255);
        var options = new AugmentConfig { Crop = 32, Scale = [160, 40] };
        var a = Run(options, image, labels, 1);
        var b = Run(options, image, labels, 1);
        var c = Run(options, image, labels, 2);
        Assert.Equal(a.Pixels, b.Pixels);
        Assert.Equal(a.Labels, b.Labels);
        Assert.NotEqual(a.Pixels, c.Pixels);
    }

    [Fact]
    public void BadOptionsAreRefused()
    {
        static string Refuses(AugmentConfig config) => Assert.Throws<InputException>(() => new Augmentation(config, ImageStatistics.Clip)).Message;
        Assert.Equal("augment.cat_max_ratio: expected a number above 0, at most 1, found 0.", Refuses(Plain with { CatMaxRatio = 0 }));
        Assert.Equal("augment.ratio: expected [smallest, largest], found [2, 1].", Refuses(Plain with { Ratio = [2, 1] }));
        Assert.Equal("augment.crop: expected a whole number from 16 to 8192, found 0.", Refuses(Plain with { Crop = 0 }));
        Assert.Contains("augment.ratio: expected a list of 2 numbers", Refuses(Plain with { Ratio = [1] }));
        Assert.Contains("augment.scale: resize box 60000 times ratio 1: expected at most 16384", Refuses(Plain with { Scale = [60000, 4] }));
        Assert.Contains("augment.flip", Refuses(Plain with { Flip = double.NaN }));
    }

    [Fact]
    public void HsvEqualsOpenCv()
    {
        var source = ImageFixtures.Rgb("cv-hsv-source");
        var expected = ImageFixtures.Rgb("cv-hsv");
        var back = ImageFixtures.Rgb("cv-hsv-back");
        int worst = 0;
        for (int i = 0; i < source.Pixels.Length; i += 3)
        {
            var (h, s, v) = HsvColours.FromRgb(source.Pixels[i], source.Pixels[i + 1], source.Pixels[i + 2]);
            Assert.Equal((expected.Pixels[i], expected.Pixels[i + 1], expected.Pixels[i + 2]), ((byte)h, (byte)s, (byte)v));
            var (r, g, b) = HsvColours.ToRgb(h, s, v);
            worst = Math.Max(
                worst, Math.Max(Math.Abs(r - back.Pixels[i]), Math.Max(Math.Abs(g - back.Pixels[i + 1]), Math.Abs(b - back.Pixels[i + 2]))));
        }

        Assert.InRange(worst, 0, 1);
    }

    [Fact]
    public void PhotometricStepsDoWhatTheySay()
    {
        var image = new RgbImage(1, 1, [100, 200, 7]);
        PhotometricDistortion.Convert(image, 1.5f, 0);
        Assert.Equal([150, 255, 10], image.Pixels);
        PhotometricDistortion.Convert(image, 1f, -20.5f);
        Assert.Equal([129, 234, 0], image.Pixels);

        var pureRed = new RgbImage(1, 1, [200, 0, 0]);
        PhotometricDistortion.RotateHue(pureRed, 60);
        Assert.Equal([0, 200, 0], pureRed.Pixels);
        PhotometricDistortion.RotateHue(pureRed, -120);
        Assert.Equal([0, 0, 200], pureRed.Pixels);
        PhotometricDistortion.Saturate(pureRed, 0);
        Assert.Equal([200, 200, 200], pureRed.Pixels);
    }

    private static AugmentConfig Plain { get; } = new()
    {
        Ratio = [1, 1],
        Flip = 0,
        Brightness = 0,
        Contrast = [1, 1],
        Saturation = [1, 1],
        Hue = 0,
        CatMaxRatio = 1,
    };

    private static (float[] Pixels, byte[] Labels) Run(AugmentConfig options, RgbImage image, LabelMap labels, ulong stream)
    {
        int plane = options.Crop * options.Crop;
        var pixels = new float[3 * plane];
        var sampleLabels = new byte[plane];

        // Recycled buffers hold anything.
        Array.Fill(pixels, float.NaN);
        Array.Fill(sampleLabels, (byte)77);
        new Augmentation(options, ImageStatistics.Clip).Apply(image, labels, new CounterRandom(42, stream), pixels, sampleLabels);
        return (pixels, sampleLabels);
    }
}
