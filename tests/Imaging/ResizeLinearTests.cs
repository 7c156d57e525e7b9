using Ldvc.Imaging;
using Xunit;

namespace Ldvc.Tests.Imaging;

public class ResizeLinearTests
{
    [Theory]
    [InlineData(30, 23)]
    [InlineData(70, 20)]
    [InlineData(20, 70)]
    public void EqualsOpenCv(int width, int height)
    {
        var actual = ResizeLinear.Apply(ImageFixtures.Rgb("resample-source"), width, height);
        var expected = ImageFixtures.Rgb($"cv-linear.61x47-to.{width}x{height}");
        Assert.Equal(0, ImageFixtures.MaxDifference(actual, expected));
    }

    [Theory]
    [InlineData(61, 47)]
    [InlineData(90, 33)]
    [InlineData(20, 130)]
    public void ARegionEqualsTheCropOfTheWhole(int width, int height)
    {
        var source = ImageFixtures.Rgb("resample-source");
        var whole = ResizeLinear.Apply(source, width, height);
        int left = width / 3, top = height / 4, cropWidth = width / 2, cropHeight = height / 3;
        var region = ResizeLinear.Apply(source, width, height, left, top, cropWidth, cropHeight);
        for (int y = 0; y < cropHeight; y++)
        {
            for (int i = 0; i < 3 * cropWidth; i++)
            {
                Assert.Equal(whole.Pixels[(3 * (((top + y) * width) + left)) + i], region.Pixels[(3 * y * cropWidth) + i]);
            }
        }
    }

    [Theory]
    [InlineData(40, 9)]
    [InlineData(10, 30)]
    [InlineData(7, 5)]
    public void NearestTopLeftEqualsOpenCv(int width, int height)
    {
        var actual = ResizeNearest.Apply(ImageFixtures.Labels("nearest-source"), width, height, NearestRule.TopLeft);
        Assert.Equal(ImageFixtures.Labels($"cv-nearest.21x13-to.{width}x{height}").Labels, actual.Labels);
    }
}
