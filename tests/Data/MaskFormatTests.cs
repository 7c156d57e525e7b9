using System.IO.Compression;
using System.Text;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;
using Xunit;

namespace Ldvc.Tests.Data;

/// <summary>Masks as data sets and programs for labelling have them, besides grey and palette PNGs.</summary>
public sealed class MaskFormatTests : IDisposable
{
    private readonly TinyData _data = new();

    public MaskFormatTests()
    {
        _data.Text("cat\ndog\nsky\n", "classes.txt");
        _data.Picture(4, 2, "images", "a.png");
    }

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(PngColorType.Rgb)]
    [InlineData(PngColorType.RgbWithAlpha)]
    [InlineData(PngColorType.GrayscaleWithAlpha)]
    public void NumbersMayBeStoredAsGreysOfColourPictures(PngColorType type)
    {
        var encoder = new PngEncoder { ColorType = type, BitDepth = PngBitDepth.Bit8 };
        byte[] numbers = [0, 1, 2, 255, 2, 2, 1, 0];
        Write(encoder, "a.png", numbers, number => new Rgba32(number, number, number, 255));
        Assert.Equal(numbers, Open("").Read(0).Labels.Labels);
        Assert.Equal(numbers.Distinct().Order(), Open("").ReadStored(0).Values.Select(v => (byte)v.Value));

        Write(encoder, "a.png", numbers, number => new Rgba32(number, number, number, number == 2 ? (byte)0 : (byte)255));
        if (type == PngColorType.Rgb)
        {
            Write(encoder, "a.png", numbers, number => new Rgba32(number, number, number == 2 ? (byte)3 : number, 255));
        }

        Assert.Contains(
            type == PngColorType.Rgb ? "an RGB PNG with the colour (2, 2, 3), a label map must" : "with transparent pixels, a label map must",
            Assert.Throws<InputException>(() => Open("").ReadLabels(0)).Message);
    }

    // Adam7: of 4x2 pixels, passes 1, 4, 6 and 7 have some, each row behind its filter.
    [Fact]
    public void TheyMayBeInterlaced()
    {
        byte[] numbers = [0, 1, 2, 255, 2, 2, 1, 0];
        byte[] Row(params int[] pixels) => [0, .. pixels.SelectMany(pixel => Enumerable.Repeat(numbers[pixel], 3))];
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            zlib.Write([.. Row(0), .. Row(2), .. Row(1, 3), .. Row(4, 5, 6, 7)]);
        }

        byte[] header = [0, 0, 0, 4, 0, 0, 0, 2, 8, 2, 0, 0, 1];
        byte[] file = [.. PngChunks.Signature, .. Chunk("IHDR", header), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
        _data.Bytes(file, "masks", "a.png");
        Assert.Equal(numbers, Open("").Read(0).Labels.Labels);

        byte[] Chunk(string type, byte[] content)
        {
            byte[] covered = [.. Encoding.ASCII.GetBytes(type), .. content];
            return [.. Number((uint)content.Length), .. covered, .. Number(PngChunks.Crc(covered))];
        }

        byte[] Number(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
    }

    [Fact]
    public void ColoursMayBeStoredInFormatsThatKeepThem()
    {
        _data.Text("255 255 255 sky\n0 0 0 cat\n255 0 255 dog\n", "palette.txt");
        byte[] numbers = [0, 1, 2, 2, 2, 2, 1, 0];
        Rgba32[] colours = [new(0, 0, 0), new(255, 0, 255), new(255, 255, 255)];
        string options = $"colors: {_data.At("palette.txt")}, mask_suffix: ";
        Write(new BmpEncoder(), "a.bmp", numbers, number => colours[number]);
        Assert.Equal(numbers, Open(options + ".bmp").Read(0).Labels.Labels);
        Write(new GifEncoder(), "a.gif", numbers, number => colours[number]);
        Assert.Equal(numbers, Open(options + ".gif").Read(0).Labels.Labels);

        // What is transparent is read as black.
        Write(new GifEncoder(), "a.gif", numbers, number => number == 1 ? new Rgba32(0, 0, 0, 0) : colours[number]);
        Assert.Contains("a GIF with transparent pixels", Assert.Throws<InputException>(() => Open(options + ".gif").ReadLabels(0)).Message);

        // As numbers they are refused, with the way to read them.
        foreach (string format in new[] { "bmp", "gif" })
        {
            string message = Assert.Throws<InputException>(() => Open($"mask_suffix: .{format}").ReadLabels(0)).Message;
            Assert.Contains($"found a {format.ToUpperInvariant()}): data.colors of data.kind: folder reads such files by their colours", message);
        }
    }

    // Programs that take masks for pictures store black and white in one bit.
    [Theory]
    [InlineData("0 255", "values: {0: cat, 255: dog, 9: sky}", "a.png has 1 bit a pixel and the number 1, which viewers show as they show 255 in ")]
    [InlineData("0 1 255", "", null)]
    [InlineData("0 2", "", null)]
    public void GreysOfDifferentDepthsAreSaid(string eight, string options, string? expected)
    {
        byte[] cycle = [.. eight.Split(' ').Select(byte.Parse)];
        byte[] numbers = [.. Enumerable.Range(0, 8).Select(i => cycle[i % cycle.Length])];
        _data.Picture(4, 2, "images", "b.png");
        Write(new PngEncoder { ColorType = PngColorType.Grayscale, BitDepth = PngBitDepth.Bit8 }, "b.png", numbers, n => new Rgba32(n, n, n));
        var encoder = new PngEncoder { ColorType = PngColorType.Grayscale, BitDepth = PngBitDepth.Bit1 };
        Write(encoder, "a.png", [0, 255, 0, 0, 255, 255, 255, 0], n => new Rgba32(n, n, n));
        Assert.Equal(1, Open(options).ReadStored(0).Values[^1].Value);
        string[] said = [.. MaskWarnings.Of(Open(options))];
        Assert.Equal(expected is null ? 0 : 1, said.Length);
        Assert.All(said, text => Assert.Contains(expected!, text));
    }

    [Fact]
    public void OfJpegMasksIsSaidWhatToDo()
    {
        RealFormats.Jpeg(new RgbImage(4, 2), _data.At("masks", "a.jpg"));
        Assert.Contains("(label maps must be PNG, found a JPEG): JPEG changes numbers", Assert.Throws<InputException>(
            () => Open("mask_suffix: .jpg").ReadLabels(0)).Message);
    }

    [Theory]
    [InlineData("x.tif", "x.tif, in a format that is not read: convert such files to PNG")]
    [InlineData("x.npz", "x.npz")]
    [InlineData(".hidden", "found none")]
    public void OfFoldersWithoutAPictureIsSaidWhatTheyHave(string file, string expected)
    {
        File.Delete(_data.At("images", "a.png"));
        _data.Text("", "images", file);
        string message = Assert.Throws<InputException>(() => Open("")).Message;
        Assert.Contains("images: expected at least one picture, found none", message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain(".hidden", message);
    }

    [Fact]
    public void AMaskWithMoreBehindItsNameIsNamed()
    {
        _data.Text("", "masks", "ab.png");
        Assert.EndsWith("a.png: file not found", Missing());
        _data.Text("", "masks", "a_mask.png");
        Assert.EndsWith("; there is a_mask.png (data.mask_suffix says what follows a picture's name)", Missing());
        _data.Text("", "masks", "a.PNG");
        Assert.EndsWith("; there is a.PNG", Missing());

        string Missing() => Assert.Throws<InputException>(() => Open("").ReadLabels(0)).Message;
    }

    // SegNet's lists of CamVid.
    [Fact]
    public void PairsMayNameFoldersThatTheDataSetLayInBefore()
    {
        _data.Picture(4, 2, "train", "x y.png");
        _data.Mask(TinyData.Labels(4, 2, 1, 2), "trainannot", "x y.png");
        _data.Text("/SegNet/CamVid/train/x y.png /SegNet/CamVid/trainannot/x y.png\n", "train.txt");
        foreach (string options in new[] { "", "images: '{part}', masks: '{part}annot'" })
        {
            SegmentationDataset dataset = Open(options);
            Assert.Equal([1, 2, 1, 2, 1, 2, 1, 2], dataset.Read(0).Labels.Labels);
            Assert.Equal(_data.At("train", "x y.png"), dataset.PictureFile(0));
        }

        // A name alone does not make it another mask.
        _data.Text("/SegNet/CamVid/train/x y.png /SegNet/CamVid/others/x y.png\n", "train.txt");
        Assert.Contains("mask '/SegNet/CamVid/others/x y.png' not found", Assert.Throws<InputException>(() => Open("masks: trainannot")).Message);
    }

    private void Write(IImageEncoder encoder, string name, byte[] numbers, Func<byte, Rgba32> colour)
    {
        using Image<Rgba32> image = Image.LoadPixelData<Rgba32>([.. numbers.Select(colour)], 4, 2);
        image.Save(_data.At("masks", name), encoder);
    }

    private SegmentationDataset Open(string options) => DrawnData.Registry.OpenTraining(
        ConfigFiles.Load($"data: {{kind: folder, root: {_data.Root}{(options.Length > 0 ? ", " + options : "")}}}"));
}
