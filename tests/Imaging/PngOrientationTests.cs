using System.Buffers.Binary;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tests.Data;
using Xunit;

namespace Ldvc.Tests.Imaging;

/// <summary>PNG files with an eXIf chunk are turned, pictures and masks alike.</summary>
public sealed class PngOrientationTests
{
    public static TheoryData<int, bool> Orientations => [.. Enumerable.Range(0, 20).Select(i => (i / 2, i % 2 == 0))];

    // Where the upright pixel (x, y) of a picture of 3 x 2 stored pixels lies.
    private static (int X, int Y) Stored(int orientation, int x, int y) => orientation switch
    {
        2 => (2 - x, y),
        3 => (2 - x, 1 - y),
        4 => (x, 1 - y),
        5 => (y, x),
        6 => (y, 1 - x),
        7 => (2 - y, 1 - x),
        8 => (2 - y, x),
        _ => (x, y),
    };

    [Theory]
    [MemberData(nameof(Orientations))]
    public void PicturesAndMasksAreTurnedTheSameWay(int orientation, bool little)
    {
        RgbImage picture = TinyData.Pattern(3, 2, 5);
        LabelMap labels = TinyData.Labels(3, 2, 0, 1, 2, 3, 4, 5);
        ushort[] wide = [0, 1, 2, 3, 4, 500];
        RgbImage read = ImageReader.Decode(WithExif(ImageWriter.EncodePng(picture), orientation, little), "p");
        LabelMap mask = LabelPng.Decode(WithExif(LabelWriter.Encode(labels), orientation, little), "m");
        LabelMap16 mask16 = PngLabels.Decode(WithExif(LabelWriter.Encode(new LabelMap16(3, 2, wide)), orientation, little), "w");
        (int width, int height) = orientation is >= 5 and <= 8 ? (2, 3) : (3, 2);
        Assert.Equal((width, height, width, height, width, height), (read.Width, read.Height, mask.Width, mask.Height, mask16.Width, mask16.Height));
        for (int i = 0; i < 6; i++)
        {
            (int x, int y) = Stored(orientation, i % width, i / width);
            int at = (3 * y) + x;
            Assert.Equal(picture.Pixels[(3 * at)..((3 * at) + 3)], read.Pixels[(3 * i)..((3 * i) + 3)]);
            Assert.Equal((labels.Labels[at], wide[at]), (mask.Labels[i], mask16.Labels[i]));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("49492A00")]
    [InlineData("49492A00FFFFFFFF0100")]
    [InlineData("49492A0008000000FFFF1201")]
    [InlineData("58582A00080000000100120103000100000006000000")]
    public void DamagedChunksTurnNothing(string exif) =>
        Assert.Equal(3, LabelPng.Decode(WithChunk(LabelWriter.Encode(TinyData.Labels(3, 2, 1)), Convert.FromHexString(exif)), "m").Width);

    private static byte[] WithExif(byte[] png, int orientation, bool little)
    {
        byte[] exif = new byte[26];
        (little ? "II"u8 : "MM"u8).CopyTo(exif);
        void Put16(int at, int value)
        {
            if (little)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(exif.AsSpan(at), (ushort)value);
            }
            else
            {
                BinaryPrimitives.WriteUInt16BigEndian(exif.AsSpan(at), (ushort)value);
            }
        }

        Put16(2, 42);
        Put16(little ? 4 : 6, 8);
        Put16(8, 1);
        Put16(10, 0x0112);
        Put16(12, 3);
        Put16(little ? 14 : 16, 1);
        Put16(18, orientation);
        return WithChunk(png, exif);
    }

    // Before the last chunk, IEND: after the pixels is a legal place, too.
    private static byte[] WithChunk(byte[] png, byte[] data)
    {
        byte[] body = [.. "eXIf"u8, .. data], length = new byte[4], crc = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(crc, PngChunks.Crc(body));
        return [.. png[..^12], .. length, .. body, .. crc, .. png[^12..]];
    }
}
