using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Ldvc.Tests.Serialization;

/// <summary>Pickles written opcode by opcode, and the zip around them.</summary>
internal sealed class PickleBytes
{
    private readonly List<byte> _bytes = [0x80, 2];

    public PickleBytes Op(params byte[] raw)
    {
        _bytes.AddRange(raw);
        return this;
    }

    public PickleBytes Op(string ascii, params byte[] more) => Op([.. Encoding.ASCII.GetBytes(ascii), .. more]);

    public PickleBytes Global(string module, string name) => Op($"c{module}\n{name}\n");

    public PickleBytes Text(string text) =>
        Op([(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);

    public PickleBytes Int(long value) => Op([0x8A, 8, .. BitConverter.GetBytes(value)]);

    /// <summary>A tuple of integers.</summary>
    public PickleBytes Ints(params long[] values)
    {
        Op("(");
        foreach (long value in values)
        {
            Int(value);
        }

        return Op("t");
    }

    public PickleBytes Storage(string type, string key, long count)
    {
        int dot = type.LastIndexOf('.');
        return Op("(").Text("storage").Global(type[..dot], type[(dot + 1)..]).Text(key).Text("cpu").Int(count).Op("tQ");
    }

    /// <summary>A dict {"x": tensor} over one storage "0".</summary>
    public static PickleBytes OneTensor(string storageType, long storageCount, long offset, long[] shape, long[] strides, string name = "x") =>
        new PickleBytes().Op("}").Text(name).Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(storageType, "0", storageCount)
            .Int(offset).Ints(shape).Ints(strides).Op([0x89]).Global("collections", "OrderedDict").Op(")RtRs");

    public byte[] Done() => [.. _bytes, (byte)'.'];

    /// <summary>The pickle as data.pkl of a zip archive, with storages "0", "1", ...</summary>
    public byte[] Zip(params byte[][] storages) => ZipOf(Done(), CompressionLevel.NoCompression, storages);

    public static byte[] ZipOf(byte[] pickle, CompressionLevel storageCompression, params byte[][] storages)
    {
        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            Entry(zip, "a/data.pkl", pickle, CompressionLevel.NoCompression);
            for (int i = 0; i < storages.Length; i++)
            {
                Entry(zip, $"a/data/{i.ToString(CultureInfo.InvariantCulture)}", storages[i], storageCompression);
            }
        }

        return memory.ToArray();
    }

    public static void Entry(ZipArchive zip, string name, byte[] content, CompressionLevel compression)
    {
        using Stream stream = zip.CreateEntry(name, compression).Open();
        stream.Write(content);
    }
}
