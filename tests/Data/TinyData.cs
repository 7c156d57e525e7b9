using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Tensors;

namespace Ldvc.Tests.Data;

/// <summary>A folder that disappears with the test, and small pictures and masks to put into it.</summary>
internal sealed class TinyData : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("ldvc-data").FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);

    public string At(params string[] parts)
    {
        string path = Path.Combine([Root, .. parts]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    public void Text(string content, params string[] parts) => File.WriteAllText(At(parts), content);

    public void Bytes(byte[] content, params string[] parts) => File.WriteAllBytes(At(parts), content);

    /// <summary>A PNG under any name: readers go by content.</summary>
    public void Picture(int width, int height, params string[] parts) => ImageWriter.WritePng(Pattern(width, height), At(parts));

    public void Mask(LabelMap labels, params string[] parts) => LabelWriter.Write(labels, At(parts), LabelPalette.Voc);

    public static RgbImage Pattern(int width, int height, ulong seed = 0)
    {
        var random = new CounterRandom(seed, (ulong)(width * 1000 + height));
        var image = new RgbImage(width, height);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)random.NextInt(256);
        }

        return image;
    }

    public static LabelMap Labels(int width, int height, params byte[] cycle)
    {
        var labels = new LabelMap(width, height);
        for (int i = 0; i < labels.Labels.Length; i++)
        {
            labels.Labels[i] = cycle[i % cycle.Length];
        }

        return labels;
    }
}

/// <summary>Pictures in memory, of several sizes; can be told to fail at one.</summary>
internal sealed class MemoryDataset(int count, int failAt = -1, Exception? failure = null) : SegmentationDataset
{
    public override string Name => "memory";

    public override ClassList Classes { get; } = new(["a", "b", "c", "d"], "memory");

    public override ZeroShotSplit Split { get; } = ZeroShotSplit.WithUnseen(4, [1, 3], "memory");

    public override int Count => count;

    public override string GetId(int index) => $"m{index}";

    public override RgbImage ReadImage(int index)
        => index == failAt ? throw failure! : TinyData.Pattern(20 + (index % 5), 30 - (index % 7), (ulong)index);

    public override LabelMap ReadLabels(int index)
    {
        var random = new CounterRandom(9, (ulong)index);
        var labels = new LabelMap(20 + (index % 5), 30 - (index % 7));
        for (int i = 0; i < labels.Labels.Length; i++)
        {
            int value = random.NextInt(5);
            labels.Labels[i] = value == 4 ? LabelMap.Ignore : (byte)value;
        }

        return labels;
    }
}
