using Ldvc.Imaging;
using Xunit;

namespace Ldvc.Tests.Imaging;

public class ClipPreprocessTests
{
    [Theory]
    [InlineData("resample-source", 61, 47)]
    [InlineData("clip-source", 33, 58)]
    [InlineData("clip-source", 20, 51)]
    public void CropEqualsPillowAndTensorIsNormalisedPlanes(string source, int width, int height)
    {
        var image = ImageFixtures.Rgb($"{source}.{width}x{height}");
        var expected = ImageFixtures.Rgb($"clip-crop.{width}x{height}-to");
        var statistics = ImageStatistics.Clip;
        var tensor = new float[3 * 32 * 32];
        ClipPreprocess.ToTensor(image, 32, statistics.Mean, statistics.Std, tensor);
        for (int c = 0; c < 3; c++)
        {
            for (int i = 0; i < 32 * 32; i++)
            {
                double pixel = (tensor[(c * 32 * 32) + i] * statistics.Std[c]) + statistics.Mean[c];
                Assert.Equal(expected.Pixels[(3 * i) + c] / 255.0, pixel, 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(500, 375, 224, 298, 224)]
    [InlineData(375, 500, 224, 224, 298)]
    [InlineData(224, 224, 224, 224, 224)]
    [InlineData(640, 427, 512, 767, 512)]
    [InlineData(3, 100000, 224, 224, 7466666)]
    public void ShortSideRuleTruncatesTheLongSide(int width, int height, int size, int expectedWidth, int expectedHeight)
        => Assert.Equal((expectedWidth, expectedHeight), ClipPreprocess.ShortSideTo(width, height, size));

    [Fact]
    public void StatisticsByName()
    {
        Assert.Same(ImageStatistics.ImageNet, ImageStatistics.Named("imagenet"));
        Assert.Equal(0.485f, ImageStatistics.ImageNet.Mean[0], 1e-6f);
        var error = Assert.Throws<Ldvc.Tensors.InputException>(() => ImageStatistics.Named("coco"));
        Assert.Contains("'coco'", error.Message);
    }
}
