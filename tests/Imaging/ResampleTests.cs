using Ldvc.Imaging;
using Xunit;

namespace Ldvc.Tests.Imaging;

public class ResampleTests
{
    [Theory]
    [InlineData(30, 23)]
    [InlineData(17, 40)]
    [InlineData(13, 60)]
    [InlineData(61, 20)]
    [InlineData(25, 47)]
    [InlineData(7, 5)]
    [InlineData(90, 12)]
    [InlineData(1, 1)]
    public void BicubicEqualsPillowExactly(int width, int height)
    {
        var actual = Resample.Antialiased(ImageFixtures.Rgb("resample-source"), width, height, ResampleFilter.Bicubic);
        Assert.Equal(0, ImageFixtures.MaxDifference(actual, ImageFixtures.Rgb($"bicubic.61x47-to.{width}x{height}")));
    }

    [Theory]
    [InlineData(30, 23)]
    [InlineData(70, 20)]
    [InlineData(7, 60)]
    public void BilinearEqualsPillowExactly(int width, int height)
    {
        var actual = Resample.Antialiased(ImageFixtures.Rgb("resample-source"), width, height, ResampleFilter.Bilinear);
        Assert.Equal(0, ImageFixtures.MaxDifference(actual, ImageFixtures.Rgb($"bilinear.61x47-to.{width}x{height}")));
    }

    [Fact]
    public void SameSizeIsACopy()
    {
        var source = ImageFixtures.Rgb("resample-source");
        var actual = Resample.Antialiased(source, source.Width, source.Height, ResampleFilter.Bicubic);
        Assert.NotSame(source.Pixels, actual.Pixels);
        Assert.Equal(source.Pixels, actual.Pixels);
    }

    [Theory]
    [InlineData(40, 9)]
    [InlineData(10, 30)]
    [InlineData(7, 5)]
    public void NearestByPixelCentreEqualsPillow(int width, int height)
    {
        var actual = ResizeNearest.Apply(ImageFixtures.Labels("nearest-source"), width, height, NearestRule.PixelCentre);
        Assert.Equal(ImageFixtures.Labels($"nearest-pil.21x13-to.{width}x{height}").Labels, actual.Labels);
    }

    [Theory]
    [InlineData(40, 9)]
    [InlineData(10, 30)]
    [InlineData(7, 5)]
    public void NearestTopLeftTakesTheFloor(int width, int height)
    {
        var source = ImageFixtures.Labels("nearest-source");
        var actual = ResizeNearest.Apply(source, width, height, NearestRule.TopLeft);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                // Integer arithmetic, independent of the code's.
                Assert.Equal(source.Labels[(y * 13 / height * 21) + (x * 21 / width)], actual.Labels[(y * width) + x]);
            }
        }
    }
}
