using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Imaging;

public class PngLabelsTests
{
    [Theory]
    [InlineData("grey1")]
    [InlineData("grey2")]
    [InlineData("grey4")]
    [InlineData("grey8")]
    [InlineData("grey16")]
    [InlineData("palette1")]
    [InlineData("palette2")]
    [InlineData("palette4")]
    [InlineData("palette8")]
    public void StoredIndicesAreExactPlainAndInterlaced(string kind)
    {
        foreach (string suffix in new[] { ".png", "-adam7.png" })
        {
            string name = $"label-{kind}{suffix}";
            var actual = LabelPng.Read(ImageFixtures.Path_(name));
            var expected = ImageFixtures.Labels(name);
            Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
            Assert.Equal(expected.Labels, actual.Labels);
        }
    }

    [Fact]
    public void VocMaskWrittenByPillow()
        => Assert.Equal(ImageFixtures.Labels("voc-mask.png").Labels, LabelPng.Read(ImageFixtures.Path_("voc-mask.png")).Labels);

    [Fact]
    public void WrittenMapsComeBackAndThePaletteIsSeenByPictureReaders()
    {
        var labels = ImageFixtures.Labels("label-grey8.png");
        Assert.Equal(labels.Labels, LabelPng.Decode(LabelWriter.Encode(labels), "grey").Labels);
        byte[] withPalette = LabelWriter.Encode(labels, LabelPalette.Voc);
        Assert.Equal(labels.Labels, LabelPng.Decode(withPalette, "palette").Labels);
        var picture = ImageReader.Decode(withPalette, "palette");
        for (int i = 0; i < labels.Labels.Length; i++)
        {
            Assert.Equal(LabelPalette.Voc[labels.Labels[i]], (picture.Pixels[3 * i], picture.Pixels[(3 * i) + 1], picture.Pixels[(3 * i) + 2]));
        }
    }

    [Fact]
    public void VocPaletteHasItsPublishedColours()
    {
        Assert.Equal((0, 0, 0), LabelPalette.Voc[0]);
        Assert.Equal((128, 0, 0), LabelPalette.Voc[1]);
        Assert.Equal((192, 128, 128), LabelPalette.Voc[15]);
        Assert.Equal((0, 64, 128), LabelPalette.Voc[20]);
        Assert.Equal((224, 224, 192), LabelPalette.Voc[255]);
    }

    [Theory]
    [InlineData("rgb.png", "RGB")]
    [InlineData("rgba.png", "alpha")]
    [InlineData("rgb.jpg", "not a PNG")]
    [InlineData("huge.png", "60000x60000")]
    [InlineData("none.png", "not found")]
    public void OtherFilesAreRefused(string name, string reason)
    {
        var error = Assert.Throws<InputException>(() => LabelPng.Read(ImageFixtures.Path_(name)));
        Assert.Contains(name, error.Message);
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void EveryTruncationAndEveryFlippedBitIsNoticed()
    {
        byte[] file = File.ReadAllBytes(ImageFixtures.Path_("label-palette4-adam7.png"));
        for (int length = 0; length < file.Length; length++)
        {
            Assert.Throws<InputException>(() => LabelPng.Decode(file.AsSpan(0, length), "cut"));
        }

        for (int i = 0; i < file.Length; i++)
        {
            byte[] copy = (byte[])file.Clone();
            copy[i] ^= (byte)(1 << (i % 8));
            Assert.Throws<InputException>(() => LabelPng.Decode(copy, "flipped"));
        }
    }

    [Fact]
    public void PixelDataOfTheWrongLengthIsRefusedEvenWithRightChecksums()
    {
        var labels = new LabelMap(5, 4);
        byte[] file = LabelWriter.Encode(labels);
        foreach (int height in new[] { 3, 5 })
        {
            byte[] copy = (byte[])file.Clone();
            copy[23] = (byte)height;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(29), PngChunks.Crc(copy.AsSpan(12, 17)));
            var error = Assert.Throws<InputException>(() => LabelPng.Decode(copy, "x"));
            Assert.Contains(height == 3 ? "more pixel data" : "ends early", error.Message);
        }
    }
}
