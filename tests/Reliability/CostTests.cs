using System.IO.Compression;
using System.Text;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Fuzz;
using Ldvc.Imaging;
using Ldvc.Imaging.Matlab;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>Small files that ask for much are refused before the work: counted is the memory that reading them takes.</summary>
public sealed class CostTests
{
    private const long Mebibyte = 1 << 20;

    // What is opened, the sentence, and the bytes it may take.
    private static readonly Dictionary<string, (Func<byte[]> Make, Action<byte[]> Read, string Expected, long Most)> Files = new()
    {
        ["a million long names in a pickle"] = (() => Names(1000, 1000), Open, "names more than", 16 * Mebibyte),
        ["a million short names in a pickle"] = (() => Names(1, 1000), Open, "names more than", 16 * Mebibyte),
        ["a thousand views of one storage"] = (Views, Open, "span", 16 * Mebibyte),
        ["a long name of many globals"] = (LongGlobals, Open, "names a global with 1048576 characters", 8 * Mebibyte),
        ["a shape of 64 sizes for many tensors"] = (SharedShapes, Open, "tensors of more than", 32 * Mebibyte),
        ["a million empty sets"] = (() => new PickleBytes().Op("(").Op([.. Enumerable.Repeat((byte)0x8F, 1 << 20)]).Op("t").Zip(), Open,
            "expected a checkpoint with named tensors", 64 * Mebibyte),
        ["more empty tensors than any model has"] = (EmptyTensors, Open, "more than 200000 tensors", 192 * Mebibyte),
        ["a shape of many sizes"] = (ManySizes, Open, "more than 64 numbers", 2 * Mebibyte),
        ["a list of shards of 65 megabytes"] =
            (() => [], _ => Large("model.safetensors.index.json", 65, path => TensorArchive.Open(path).Dispose()), "at most 67108864", Mebibyte),
        ["a list of 5000 shards"] =
            (() => Shards(5000), bytes => Large("m.index.json", bytes, path => TensorArchive.Open(path).Dispose()), "5000 files", 8 * Mebibyte),
        ["a NumPy header of 70000 bytes"] =
            (() => Npy(2, new string(' ', 70_000)), bytes => File(bytes, path => NpyFile.Read(path, int.MaxValue)), "claims 70000 bytes", Mebibyte),
        ["a NumPy array of gigabytes in a few bytes"] = (
            () => Npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000), }"),
            bytes => File(bytes, path => NpyFile.Read(path, int.MaxValue)), "takes 4000000000 bytes", Mebibyte),
        ["results of 65 megabytes"] = (
            () => [], _ => Large("scores.json", 65, path => JsonText.Read<Dictionary<string, double>>(path)), "at most 67108864", Mebibyte),
        ["a picture of 200 megapixels in 24 KB"] =
            (() => Black(14_000), bytes => ImageReader.Decode(bytes, "f"), "14000x14000 pixels, expected at least 1x1 and at most 64", 2 * Mebibyte),
        ["a mask of 200 megapixels in 24 KB"] =
            (() => Black(14_000), bytes => PngLabels.Decode(bytes, "f"), "14000x14000 pixels, expected at least 1x1 and at most 64", 2 * Mebibyte),
        ["a MATLAB mask of 200 megapixels in a few bytes"] = (
            () => new MatWriter().Add(new MatWriter().Matrix("x", MatKind.UInt8, MatType.UInt8, 14_000, 14_000, [1]), compressed: true).File(),
            bytes => MatLabels.Decode(bytes, "f"), "14000x14000 pixels, expected at least 1x1 and at most 64", 2 * Mebibyte),
        ["a picture above a limit of the caller's"] = (() => Black(300), bytes => ImageReader.Decode(bytes, "f", 89_999),
            "300x300 pixels, expected at least 1x1 and at most 89999 pixels", 2 * Mebibyte),
        ["brackets in YAML"] = (() => Repeated("[", 1 << 20), Yaml, "levels of nesting", 16 * Mebibyte),
        ["aliases in YAML"] = (() => "a: &a [x]\nb: *a\n"u8.ToArray(), Yaml, "anchors and aliases", Mebibyte),
        ["a configuration of two megabytes"] = (() => Repeated("#", 2 << 20), Yaml, "at most 1048576", 16 * Mebibyte),
        ["brackets in JSON"] = (() => Repeated("[", 1 << 19), bytes => File(bytes, path => ClipJson.Read(path, json => json)),
            "not a readable CLIP configuration", 4 * Mebibyte),
        ["a configuration of a CLIP of two megabytes"] =
            (() => Repeated(" ", 2 << 20), bytes => File(bytes, path => ClipJson.Read(path, json => json)), "expected at most", Mebibyte),
        ["line breaks in a list of classes"] =
            (() => Repeated("\n", 5_000_000), bytes => File(bytes, path => ClassList.FromFile(path)), "at most 4000000 lines", 80 * Mebibyte),
        ["one long line"] = (() => Repeated("a ", 1 << 20), bytes => File(bytes, path => ClassList.FromFile(path)), "characters", 16 * Mebibyte),
        ["too many classes"] = (() => Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 200_000))),
            bytes => File(bytes, path => ClassList.FromFile(path)), "class names, expected 1 to 65535", 128 * Mebibyte),
        ["line breaks in a vocabulary"] = (() => Gzip("\n", 64 << 20), Bpe, "unpacks to more than", 65 * Mebibyte),
        ["a hundred megabytes of zeros"] = (() => Gzip("\0", 100 << 20), Bpe, "unpacks to more than", 65 * Mebibyte),
        ["sixty-four layers"] = (() => [], _ => Layers(64), "says model.decoder.layers 64, but it has tensors of 1", Mebibyte),
    };

    public static TheoryData<string> Cases => [.. Files.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void MuchOutOfLittleIsRefusedBeforeTheWork(string what)
    {
        var (make, read, expected, most) = Files[what];
        byte[] file = make();

        // Once before: what is compiled and loaded is not the file's.
        Assert.Contains(expected, Assert.Throws<InputException>(() => read(file)).Message);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InputException>(() => read(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, most);
    }

    [Fact]
    public void PicturesMayBeLargeWhereTheirFilesAre()
    {
        PixelLimit.Check(8000, 8000, 1, ImageReader.MaxPixels, "f");
        Assert.Throws<InputException>(() => PixelLimit.Check(8001, 8000, 1, ImageReader.MaxPixels, "f"));
        PixelLimit.Check(14_000, 14_000, 9_000_000, ImageReader.MaxPixels, "f");
        Assert.Throws<InputException>(() => PixelLimit.Check(20_000, 20_000, 1L << 30, ImageReader.MaxPixels, "f"));
        Assert.Throws<InputException>(() => PixelLimit.Check(uint.MaxValue, uint.MaxValue, 1L << 30, ImageReader.MaxPixels, "f"));
        Assert.Throws<InputException>(() => PixelLimit.Check(0, 1, 1, ImageReader.MaxPixels, "f"));
    }

    // An empty list of merges is one; that it is not this CLIP's is said when the weights are known.
    [Fact]
    public void LineBreaksThatFitAreNotKept()
    {
        byte[] file = Gzip("\n", 15 << 20);
        Bpe(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Bpe(file);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 96 * Mebibyte);
    }

    // A line of a long run's log that has no end.
    [Fact]
    public void LogsAreReadLineByLine()
    {
        using var folder = new TempFolder();
        string path = folder.File("metrics.jsonl");
        System.IO.File.WriteAllText(path, "{\"step\":1,\"loss\":1}\n" + new string('x', 2 << 20)
            + "\n[]\n1\n{\"step\":\"a\"}\n{\"step\":1e99}\n{\"\\ud800\":1}\n{\"step\":2,\"loss\":2}\n");
        Assert.Equal([(1, 1), (2, 2)], Lab.Ablation.RunMetrics.Read(folder.Root, "loss"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        MetricsLog.Open(path, 5).Dispose();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Mebibyte);
        Assert.Equal("{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2}\n", System.IO.File.ReadAllText(path));
    }

    private static void Open(byte[] bytes) => TensorArchive.Open(bytes, "f").Dispose();

    private static void Yaml(byte[] bytes) => File(bytes, path => ConfigLoader.Load(path));

    private static void Bpe(byte[] bytes)
    {
        using var folder = new TempFolder();
        System.IO.File.WriteAllBytes(folder.File(VocabularyFiles.OpenAi), bytes);
        ClipTokenizer.Load(folder.Root);
    }

    private static void File(byte[] bytes, Action<string> read)
    {
        using var folder = new TempFolder();
        System.IO.File.WriteAllBytes(folder.File("f"), bytes);
        read(folder.File("f"));
    }

    // Blocks that nobody wrote take no room on the disk.
    private static void Large(string name, int megabytes, Action<string> read) => Large(name, [], read, (long)megabytes << 20);

    private static void Large(string name, byte[] start, Action<string> read, long length = 0)
    {
        using var folder = new TempFolder();
        using (FileStream file = System.IO.File.Create(folder.File(name)))
        {
            file.Write(start);
            file.SetLength(Math.Max(length, start.Length));
        }

        read(folder.File(name));
    }

    private static byte[] Shards(int count) => Encoding.UTF8.GetBytes(
        $"{{\"weight_map\":{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"w{i}\":\"{i}.safetensors\""))}}}}}");

    private static byte[] Npy(byte version, string header)
    {
        byte[] length = BitConverter.GetBytes(header.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length[..(version == 1 ? 2 : 4)], .. Encoding.Latin1.GetBytes(header)];
    }

    private static byte[] Repeated(string text, int count) => Encoding.UTF8.GetBytes(new StringBuilder().Insert(0, text, count).ToString());

    private static byte[] Gzip(string text, int count)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] piece = Repeated(text, 1 << 20);
            for (int done = 0; done < count; done += piece.Length)
            {
                gzip.Write(piece);
            }
        }

        return memory.ToArray();
    }

    // {name: {"0": {"0": tensor, ...}, ...}}, everything below by reference: a thousand times a thousand tensors in some kilobytes.
    private static byte[] Names(int length, int count)
    {
        PickleBytes pickle = new PickleBytes().Op("}").Text(new string('n', length)).Op("}");
        pickle.Text("0").Op("}").Text("0").Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage("torch.FloatStorage", "0", 4)
            .Int(0).Ints(4).Ints(1).Op([0x89]).Global("collections", "OrderedDict").Op(")tR").Op("q", 1).Op("s");
        for (int i = 1; i < count; i++)
        {
            pickle.Text($"{i}").Op("h", 1).Op("s");
        }

        pickle.Op("q", 2).Op("s");
        for (int i = 1; i < count; i++)
        {
            pickle.Text($"{i}").Op("h", 2).Op("s");
        }

        return pickle.Op("s").Zip(new byte[16]);
    }

    private static byte[] LongGlobals() => new PickleBytes().Text(new string('a', 1 << 20)).Op("q", 0)
        .Op([.. Enumerable.Repeat((byte[])[(byte)'h', 0, (byte)'h', 0, 0x93], 1000).SelectMany(b => b)]).Zip();

    private static byte[] SharedShapes() => new PickleBytes().Global("torch._utils", "_rebuild_tensor").Op("q", 0).Op("(")
        .Storage("torch.FloatStorage", "0", 4).Int(0).Ints([.. Enumerable.Repeat(1L, 64)]).Op("q", 2).Op("h", 2).Op("t").Op("q", 1)
        .Op([.. Enumerable.Repeat((byte[])[(byte)'h', 0, (byte)'h', 1, (byte)'R'], 100_000).SelectMany(b => b)]).Zip(new byte[16]);

    // Each would be read whole.
    private static byte[] Views()
    {
        const int bytes = 1 << 16;
        PickleBytes pickle = new PickleBytes().Op("}").Text("0").Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(
            "torch.FloatStorage", "0", bytes / 4)
            .Int(0).Ints(bytes / 4).Ints(1).Op([0x89]).Global("collections", "OrderedDict").Op(")tR").Op("q", 1).Op("s");
        for (int i = 1; i < 900; i++)
        {
            pickle.Text($"{i}").Op("h", 1).Op("s");
        }

        return pickle.Zip(new byte[bytes]);
    }

    private static byte[] ManySizes()
    {
        string sizes = string.Join(',', Enumerable.Repeat("1", 100_000));
        return TestFiles.Safetensors($"{{\"w\":{{\"dtype\":\"F32\",\"shape\":[{sizes}],\"data_offsets\":[0,4]}}}}", 4);
    }

    private static byte[] EmptyTensors() =>
        TestFiles.Safetensors("{" + string.Join(
            ',', Enumerable.Range(0, 200_001).Select(i => $"\"{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}")) + "}", 0);

    private static byte[] Black(int side)
    {
        // Grey, one bit a pixel.
        byte[] header = new byte[13];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header, side);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), side);
        header[8] = 1;
        using var pixels = new MemoryStream();
        using (var zlib = new ZLibStream(pixels, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] row = new byte[1 + ((side + 7) / 8)];
            for (int y = 0; y < side; y++)
            {
                zlib.Write(row);
            }
        }

        return FuzzContainers.Png([("IHDR"u8.ToArray(), header), ("IDAT"u8.ToArray(), pixels.ToArray()), ("IEND"u8.ToArray(), [])]);
    }

    private static void Layers(int stated)
    {
        var writer = new SafetensorsWriter();
        writer.AddFloat32("decoder.layers.0.ffn.fc1.weight", [8, 2], new float[16]);
        using var file = new MemoryStream();
        writer.Write(file);
        using TensorArchive archive = TensorArchive.Open(file.ToArray(), "f");
        CheckpointSizes.Check(archive, new ModelConfig { Decoder = new DecoderConfig { Layers = stated } });
    }
}
