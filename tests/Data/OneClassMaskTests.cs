using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Data;

/// <summary>Masks whose labelled pixels are all of one class, so that a model that says so scores 100 %.</summary>
public sealed class OneClassMaskTests : IDisposable
{
    private const string Cats = "all labelled pixels are 'cat', and a model that says so scores 100 %";
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    // What is stored in two masks (from 256 on, in 16 bits), and what is said of them.
    [Theory]
    [InlineData("", "0 255", "0 0", "in all 2 masks " + Cats + "; stored are 0 ('cat'), 255 (no label); where 255 is an object, store the number of")]
    [InlineData("", "0 255", "0 255", "of its class, or name the numbers (data.kind: folder): data.values: {0: background, 255: NAME}")]
    [InlineData("", "0 65535", "0 65535", Cats + "; stored are 0 ('cat'), 65535 (no label); where 65535 is an object")]
    [InlineData("", "0 65535", "0 255", "; where 255 and 65535 are an object")]
    [InlineData("zero_is_ignored: true", "0 255", "0 255", "so there is nothing to learn or to score; stored are 0 (no label), 255 (no label)")]
    [InlineData("zero_is_ignored: true", "0 1", "1 1", "in all 2 masks " + Cats + "; stored are 0 (no label), 1 ('cat')")]
    [InlineData("ignore: [1, 2]", "0 1", "0 2", "in all 2 masks " + Cats + "; stored are 0 ('cat'), 1 (no label), 2 (no label)")]
    [InlineData("values: {7: cat, 8: dog}", "7 0 3", "7 9 300", "in all 2 masks " + Cats + "; stored are 0 (no label), 3 (no label), 7 ('cat'), 9")]
    [InlineData("values: {7: cat, 8: dog}", "1 0 3", "2 9 255", "in all 2 masks no pixel has a class, so there is nothing to learn or to score")]
    [InlineData("", "1 255", "1 255", "all labelled pixels are 'dog'")]
    [InlineData("", "0 255", "0 1", null)]
    [InlineData("", "0 255", "0 9", null)]
    public void IsSaid(string options, string first, string second, string? expected)
    {
        Mask("a", first);
        Mask("b", second);
        Expect(expected, OneClassMasks.Find(Open(options)));
    }

    [Theory]
    [InlineData("1 1 1 cat\n2 2 2 dog\n0 0 0\n", Cats)]
    [InlineData("1 1 1 cat\n0 0 0 dog\n2 2 2\n", null)]
    public void IsSaidOfColours(string palette, string? expected)
    {
        _data.Text(palette, "palette.txt");
        Mask("a", "0 0");
        ImageWriter.WritePng(new RgbImage(2, 1, [1, 1, 1, 0, 0, 0]), _data.At("masks", "a.png"));
        string? found = OneClassMasks.Find(Open($"colors: {_data.At("palette.txt")}"));
        Expect(expected, found);

        // The numbers of such masks are made up.
        Assert.DoesNotContain("stored", found ?? "");
        Assert.DoesNotContain("255", found ?? "");
    }

    // Of more than 255 classes 255 is one, and a mask of 8 bits usually means a border by it.
    [Theory]
    [InlineData("", 300, "0 255", "a.png of 8 bits holds 255, which is the class 'c255x' in a list of 300; where it means \"no label\", say so")]
    [InlineData("zero_is_ignored: true", 300, "1 255 2", "which is the class 'c254x'")]
    [InlineData("values: {0: c0x, 255: c1x}", 2, "0 255", null)]
    [InlineData("ignore: [255]", 300, "0 1 255", null)]
    [InlineData("", 300, "0 255 299", null)]
    [InlineData("", 300, "0 254", null)]
    [InlineData("", 255, "0 1 255", null)]
    public void BordersThatAreAClassAreSaid(string options, int classes, string stored, string? expected)
    {
        Mask("a", stored);
        Mask("b", "0 1");
        _data.Text(string.Concat(Enumerable.Range(0, classes).Select(i => $"c{i}x\n")), "classes.txt");
        string[] said = [.. MaskWarnings.Of(Open(options))];
        if (expected is null)
        {
            Assert.Empty(said);
        }
        else
        {
            Assert.Contains(expected, Assert.Single(said));
        }
    }

    // Names in order are often classes in order: one of the last masks counts as much as the first ones.
    [Theory]
    [InlineData(100, null)]
    [InlineData(150, "the 100 of 150 masks that were looked at")]
    public void MasksFromEverywhereAreLookedAt(int cats, string? expected) => Expect(expected, OneClassMasks.Find(new Sorted(150, cats)));

    private static void Expect(string? expected, string? found)
    {
        if (expected is null)
        {
            Assert.Null(found);
        }
        else
        {
            Assert.Contains(expected, found);
        }
    }

    private void Mask(string id, string values)
    {
        ushort[] numbers = [.. values.Split(' ').Select(ushort.Parse)];
        _data.Text("cat\ndog\n", "classes.txt");
        _data.Picture(numbers.Length, 1, "images", id + ".png");
        if (numbers.Max() < 256)
        {
            _data.Mask(new LabelMap(numbers.Length, 1, [.. numbers.Select(n => (byte)n)]), "masks", id + ".png");
        }
        else
        {
            LabelWriter.Write(new LabelMap16(numbers.Length, 1, numbers), _data.At("masks", id + ".png"));
        }
    }

    private SegmentationDataset Open(string options) => DrawnData.Registry.OpenTraining(
        ConfigFiles.Load($"data: {{kind: folder, root: {_data.Root}{(options.Length > 0 ? ", " + options : "")}}}"));

    // So many pictures of cats, then dogs.
    private sealed class Sorted(int count, int cats) : SegmentationDataset
    {
        public override string Name => "sorted";

        public override ClassList Classes { get; } = new(["cat", "dog"], "sorted");

        public override ZeroShotSplit Split { get; } = ZeroShotSplit.AllSeen(2);

        public override int Count => count;

        public override string GetId(int index) => $"{index}";

        public override RgbImage ReadImage(int index) => new(1, 1);

        public override LabelMap ReadLabels(int index) => new(1, 1, [(byte)(index < cats ? 0 : 1)]);
    }
}
