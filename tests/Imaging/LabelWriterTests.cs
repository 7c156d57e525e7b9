using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;
using SkiaSharp;
using Xunit;

namespace Ldvc.Tests.Imaging;

/// <summary>Label maps as PNG: indices, palette, 16 bits, class names, and what becomes of a file that cannot be finished.</summary>
public sealed class LabelWriterTests
{
    private static readonly string[] Latin = ["cat", "cr\u00e8me \"br\u00fbl\u00e9e\"", "a\\b\tc"];
    private static readonly string[] Wide = ["\u8349", "\u041a\u043e\u0448\u043a\u0430", "\u0642\u0637\u0629", "\ud83d\ude3a", "plain"];

    [Fact]
    public void EveryIndexKeepsItsNumberAndHasItsColour()
    {
        LabelMap labels = Every();
        foreach (LabelPalette palette in new[] { LabelPalette.Voc, LabelPalette.Bright, new LabelPalette(new byte[768]) })
        {
            byte[] file = LabelWriter.Encode(labels, palette);
            Assert.Equal(labels.Labels, LabelPng.Decode(file, "palette").Labels);
            Assert.Equal(palette.Rgb, Chunk(file, "PLTE"));
            Assert.DoesNotContain(PngChunks.Split(file, "x"), c => c.Type == "tRNS");
            using SKBitmap seen = SKBitmap.Decode(file);
            for (int i = 0; i < labels.Labels.Length; i++)
            {
                SKColor colour = seen.GetPixel(i % labels.Width, i / labels.Width);
                Assert.Equal(palette[labels.Labels[i]], (colour.Red, colour.Green, colour.Blue));
                Assert.Equal(255, colour.Alpha);
            }
        }
    }

    /// <summary>Everingham et al., the VOC development kit's VOClabelcolormap.m: bit 3 j + c of the index is bit 7 - j of channel c.</summary>
    [Fact]
    public void ThePaletteInTheFileIsVocs()
    {
        byte[] palette = Chunk(LabelWriter.Encode(Every(), LabelPalette.Voc), "PLTE");
        for (int label = 0; label < 256; label++)
        {
            for (int channel = 0; channel < 3; channel++)
            {
                int expected = Enumerable.Range(0, 8).Sum(j => ((label >> ((3 * j) + channel)) & 1) << (7 - j));
                Assert.Equal(expected, palette[(3 * label) + channel]);
            }
        }
    }

    /// <summary>The page of `ldvc serve` reads label maps without undoing filters.</summary>
    [Fact]
    public void RowsHaveNoFilterAndEightBits()
    {
        var labels = new LabelMap(3, 2, [7, 8, 9, 0, 1, 255]);
        foreach (LabelPalette? palette in new[] { null, LabelPalette.Voc })
        {
            byte[] file = LabelWriter.Encode(labels, palette);
            byte[] header = Chunk(file, "IHDR");
            Assert.Equal([0, 0, 0, 3, 0, 0, 0, 2, 8, (byte)(palette is null ? 0 : 3), 0, 0, 0], header);
            using var rows = new ZLibStream(new MemoryStream(Chunk(file, "IDAT")), CompressionMode.Decompress);
            var stored = new byte[9];
            Assert.Equal(8, rows.ReadAtLeast(stored, 9, throwOnEndOfStream: false));
            Assert.Equal([0, 7, 8, 9, 0, 0, 1, 255], stored[..8]);
        }
    }

    [Fact]
    public void SixteenBitsHoldMoreThan255Classes()
    {
        var random = new CounterRandom(5, 0);
        ushort[] indices = [.. Enumerable.Range(0, 97 * 61).Select(i => (ushort)random.NextInt(0, 65536))];
        (indices[0], indices[1], indices[2], indices[3]) = (0, 255, 256, LabelMap16.Unlabelled);
        var labels = new LabelMap16(97, 61, indices);
        byte[] file = LabelWriter.Encode(labels, Wide);
        Assert.Equal([0, 0, 0, 97, 0, 0, 0, 61, 16, 0, 0, 0, 0], Chunk(file, "IHDR"));
        LabelMap16 read = PngLabels.Decode(file, "wide");
        Assert.Equal((97, 61), (read.Width, read.Height));
        Assert.Equal(indices, read.Labels);
        Assert.Equal(Wide, Names(file));
    }

    [Fact]
    public void EightBitFilesCanBeReadAsSixteen()
    {
        LabelMap labels = Every();
        Assert.Equal(labels.Labels.Select(l => (ushort)l), PngLabels.Decode(LabelWriter.Encode(labels, LabelPalette.Voc), "narrow").Labels);
        Assert.Equal(300, LabelFile.Read(ImageFixtures.Path_("label-over255.png")).Labels.Max());
    }

    [Fact]
    public void ClassNamesStandInATextChunk()
    {
        LabelMap labels = Every();
        byte[] latin = LabelWriter.Encode(labels, LabelPalette.Voc, Latin), wide = LabelWriter.Encode(labels, null, Wide);
        Assert.Equal(Latin, Names(latin));
        Assert.Equal(Wide, Names(wide));
        Assert.Contains(PngChunks.Split(latin, "x"), c => c.Type == "tEXt");
        Assert.Contains(PngChunks.Split(wide, "x"), c => c.Type == "iTXt");
        Assert.Equal(labels.Labels, LabelPng.Decode(latin, "latin").Labels);
        Assert.Equal(labels.Labels, LabelPng.Decode(wide, "wide").Labels);
        Assert.DoesNotContain(PngChunks.Split(LabelWriter.Encode(labels), "x"), c => c.Type is "tEXt" or "iTXt" or "zTXt");

        // Long lists are not compressed: any reader of text chunks finds them.
        string[] many = [.. Enumerable.Range(0, 1000).Select(i => $"class {i}")];
        Assert.Equal(many, Names(LabelWriter.Encode(labels, null, many)));
        Assert.Equal(["\ufffd"], Names(LabelWriter.Encode(labels, null, ["\ud800"])));
    }

    [Fact]
    public void ADiskThatIsFullLeavesTheOldFileAndGivesASentence()
    {
        string folder = Directory.CreateTempSubdirectory("ldvc-labels").FullName;
        try
        {
            string path = Path.Combine(folder, "a.png");
            LabelMap labels = Every();
            LabelWriter.Write(labels, path, LabelPalette.Voc, Latin);
            byte[] old = File.ReadAllBytes(path);
            RgbImage picture = ImageFixtures.Rgb("resample-source");
            var wide = new LabelMap16(2, 2, [1, 2, 3, 4]);
            foreach (int room in new[] { 0, 5, 40, 60 })
            {
                foreach (Action<Stream> write in new Action<Stream>[]
                {
                    s => LabelWriter.Write(labels, s, LabelPalette.Voc), s => LabelWriter.Write(wide, s), s => ImageWriter.WritePng(picture, s),
                })
                {
                    InputException error = Assert.Throws<InputException>(
                        () => Ldvc.Tensors.Serialization.AtomicFile.Write(path, stream => write(new FullDisk(stream, room))));
                    Assert.Equal($"{path}: cannot be written (No space left on device)", error.Message);
                    Assert.Equal([path], Directory.GetFiles(folder));
                    Assert.Equal(old, File.ReadAllBytes(path));
                }
            }

            LabelWriter.Write(wide, path);
            Assert.Equal(wide.Labels, LabelFile.Read(path).Labels);
            Assert.Contains(
                "missing", Assert.Throws<InputException>(() => LabelWriter.Write(wide, Path.Combine(folder, "missing", "a.png"))).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void MapsOfAnotherLengthAreRefused()
    {
        Assert.Contains("expected 6 labels for 3x2, got 5", Assert.Throws<ArgumentException>(() => new LabelMap16(3, 2, new ushort[5])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelMap16(0, 2, []));
    }

    // All 256 labels, and runs of them.
    private static LabelMap Every() => new(53, 31, [.. Enumerable.Range(0, 53 * 31).Select(i => (byte)(i < 256 ? i : i / 37))]);

    private static byte[] Chunk(byte[] file, string type) =>
        [.. PngChunks.Split(file, "x").Where(c => c.Type == type).SelectMany(c => file[c.Offset..(c.Offset + c.Length)])];

    // PNG specification 11.3.3: keyword, 0, text in Latin-1; or keyword, 0, uncompressed = 0, method 0, language, 0, translated keyword, 0, text in
    // UTF-8.
    private static string[] Names(byte[] file)
    {
        var (type, offset, length) = PngChunks.Split(file, "x").Single(c => c.Type is "tEXt" or "iTXt");
        byte[] chunk = file[offset..(offset + length)];
        Assert.Equal("classes\0", Encoding.Latin1.GetString(chunk[..8]));
        if (type == "iTXt")
        {
            Assert.Equal([0, 0, 0, 0], chunk[8..12]);
        }

        string text = type == "tEXt"
            ? Encoding.Latin1.GetString(chunk[8..])
            : new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(chunk[12..]);
        return JsonSerializer.Deserialize<string[]>(text)!;
    }

    private sealed class FullDisk(Stream inner, int room) : Stream
    {
        private int _room = room;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            int fits = Math.Min(count, _room);
            inner.Write(buffer, offset, fits);
            _room -= fits;
            if (fits < count)
            {
                throw new IOException("No space left on device");
            }
        }
    }
}
