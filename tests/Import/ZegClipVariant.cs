using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Serialization;

namespace Ldvc.Tests.Import;

/// <summary>The small checkpoint with something changed, written as PyTorch writes it.</summary>
internal sealed class ZegClipVariant
{
    private readonly List<(string Name, long[] Shape, float[] Values)> _tensors = [];

    public ZegClipVariant()
    {
        using TensorArchive archive = TensorArchive.Open(ZegClipMini.Checkpoint);
        foreach (TensorEntry entry in archive.Entries.Values)
        {
            _tensors.Add((entry.Name, entry.Shape, archive.ReadFloat32(entry.Name)));
        }
    }

    /// <summary>Texts and lists of texts under "meta"; null leaves "meta" out.</summary>
    public Dictionary<string, object>? Meta { get; set; } = new()
    {
        ["exp_name"] = "vpt_seg_zero_vit-b_512x512_20k_12_10.py",
        ["CLASSES"] = ZegClipMini.Classes,
        ["iter"] = 20000L,
    };

    /// <summary>Tensors that are stored in 16 bits.</summary>
    public Func<string, bool> Half { get; set; } = _ => false;

    /// <summary>Opcodes that put one more note on the stack, under the name "more".</summary>
    public Action<PickleBytes>? MoreNotes { get; set; }

    public float[] this[string name] => _tensors[IndexOf(name)].Values;

    public void Set(string name, long[] shape, params float[] values)
    {
        _tensors.RemoveAll(tensor => tensor.Name == name);
        _tensors.Add((name, shape, values));
    }

    public void Remove(string name) => _tensors.RemoveAt(IndexOf(name));

    /// <summary>As torch.save writes it.</summary>
    public void Save(string path) => File.WriteAllBytes(
        path, PickleBytes.ZipOf(Pickle().Done(), CompressionLevel.NoCompression, [.. Enumerable.Range(0, _tensors.Count).Select(Stored)]));

    /// <summary>As torch.save wrote it before version 1.6.</summary>
    public void SaveLegacy(string path)
    {
        using FileStream file = File.Create(path);
        file.Write([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.']);
        file.Write(new PickleBytes().Op([(byte)'M', 0xE9, 3]).Done());
        file.Write(new PickleBytes().Op("}").Text("little_endian").Op([0x88, (byte)'s']).Done());
        file.Write(Pickle().Done());
        PickleBytes keys = new PickleBytes().Op("](");
        for (int i = 0; i < _tensors.Count; i++)
        {
            keys.Text(Key(i));
        }

        file.Write(keys.Op("e").Done());
        Span<byte> count = stackalloc byte[8];
        for (int i = 0; i < _tensors.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(count, _tensors[i].Values.Length);
            file.Write(count);
            file.Write(Stored(i));
        }
    }

    private PickleBytes Pickle()
    {
        PickleBytes pickle = new PickleBytes().Op("}(");
        if (Meta is not null)
        {
            pickle.Text("meta").Op("}(");
            foreach (var (key, value) in Meta)
            {
                pickle.Text(key);
                switch (value)
                {
                    case string text:
                        pickle.Text(text);
                        break;
                    case long number:
                        pickle.Int(number);
                        break;
                    default:
                        pickle.Op("(");
                        foreach (string item in (string[])value)
                        {
                            pickle.Text(item);
                        }

                        pickle.Op("t");
                        break;
                }
            }

            if (MoreNotes is not null)
            {
                MoreNotes(pickle.Text("more"));
            }

            pickle.Op("u");
        }

        pickle.Text("state_dict").Global("collections", "OrderedDict").Op(")R(");
        for (int i = 0; i < _tensors.Count; i++)
        {
            (string name, long[] shape, float[] values) = _tensors[i];
            long[] strides = new long[shape.Length];
            long stride = 1;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                strides[axis] = stride;
                stride *= shape[axis];
            }

            pickle.Text(name).Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(
                Half(name) ? "torch.HalfStorage" : "torch.FloatStorage", Key(i), values.Length)
                .Int(0).Ints(shape).Ints(strides).Op([0x89]).Global("collections", "OrderedDict").Op(")RtR");
        }

        // As mmcv keeps it; a moment that shares its storage with the first tensor.
        return pickle.Op("u").Text("optimizer").Op("}(").Text("state").Op("}").Int(0).Op("}(").Text("step").Int(20000).Text("exp_avg")
            .Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(
                Half(_tensors[0].Name) ? "torch.HalfStorage" : "torch.FloatStorage", Key(0), _tensors[0].Values.Length)
            .Int(0).Ints(1).Ints(1).Op([0x89]).Global("collections", "OrderedDict").Op(")RtRus").Text("param_groups").Op("](}").Text("lr").Op(
                [(byte)'G', 0x3F, 0xE0, 0, 0, 0, 0, 0, 0])
            .Op("se").Op("uu");
    }

    private byte[] Stored(int index)
    {
        (string name, _, float[] values) = _tensors[index];
        return Half(name)
            ? MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray()
            : MemoryMarshal.AsBytes<float>(values).ToArray();
    }

    private static string Key(int index) => index.ToString(CultureInfo.InvariantCulture);

    private int IndexOf(string name) => _tensors.FindIndex(tensor => tensor.Name == name) is >= 0 and var found
        ? found
        : throw new ArgumentException($"no tensor {name}", nameof(name));
}
