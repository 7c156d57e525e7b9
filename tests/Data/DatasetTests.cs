using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Imaging.Matlab;
using Ldvc.Tensors;
using Ldvc.Tests.Imaging;
using Xunit;

namespace Ldvc.Tests.Data;

public class DatasetTests
{
    [Fact]
    public void VocReadsPaletteMasksAndShiftsThem()
    {
        using var data = new TinyData();
        data.Text("2007_000032\n\n  2007_000033 \n", "VOCdevkit", "VOC2012", "ImageSets", "Segmentation", "train.txt");
        data.Text(
            "/JPEGImages/2008_1.jpg /SegmentationClassAug/2008_1.png\n2007_000033\n", "VOCdevkit", "VOC2012", "ImageSets", "Segmentation", "aug.txt");
        foreach (string id in new[] { "2007_000032", "2007_000033", "2008_1" })
        {
            data.Picture(6, 4, "VOCdevkit", "VOC2012", "JPEGImages", id + ".jpg");
        }

        data.Mask(TinyData.Labels(6, 4, 0, 1, 20, 255), "VOCdevkit", "VOC2012", "SegmentationClass", "2007_000032.png");
        data.Mask(TinyData.Labels(6, 4, 2), "VOCdevkit", "VOC2012", "SegmentationClass", "2007_000033.png");
        data.Mask(TinyData.Labels(6, 4, 3), "VOCdevkit", "VOC2012", "SegmentationClassAug", "2007_000033.png");
        data.Mask(TinyData.Labels(6, 4, 4), "VOCdevkit", "VOC2012", "SegmentationClassAug", "2008_1.png");

        var train = VocDataset.Open(data.Root, "train");
        Assert.Equal(2, train.Count);
        Assert.Equal("voc2012/train", train.Name);
        train.CheckFiles();
        Assert.Equal(TinyData.Labels(6, 4, 255, 0, 19, 255).Labels, train.ReadLabels(0).Labels);
        Assert.Equal(TinyData.Pattern(6, 4).Pixels, train.Read(0).Image.Pixels);

        // trainaug without its own list: train + aug, each once, VOC's own masks first.
        var trainaug = VocDataset.Open(data.At("VOCdevkit", "VOC2012"), "trainaug");
        Assert.Equal(["2007_000032", "2007_000033", "2008_1"], Enumerable.Range(0, trainaug.Count).Select(trainaug.GetId));
        Assert.Equal(1, trainaug.ReadLabels(1).Labels[0]);
        Assert.Equal(3, trainaug.ReadLabels(2).Labels[0]);

        // SBD's own files in the same place.
        File.Delete(data.At("VOCdevkit", "VOC2012", "SegmentationClassAug", "2008_1.png"));
        data.Bytes(Sbd(6, 4, 5), "VOCdevkit", "VOC2012", "SegmentationClassAug", "2008_1.mat");
        trainaug.CheckFiles();
        Assert.Equal(4, trainaug.Read(2).Labels.Labels[0]);

        Assert.Contains("val.txt", Assert.Throws<InputException>(() => VocDataset.Open(data.Root, "val")).Message);
        Assert.Contains("missing", Assert.Throws<InputException>(() => VocDataset.Open(data.At("missing"), "val")).Message);
    }

    // Nothing is converted, and what VOC validates on is in none of its lists.
    [Theory]
    [InlineData("VOCdevkit", "VOCaug")]
    [InlineData("VOCdevkit", "VOC2012", "VOCaug")]
    [InlineData("benchmark_RELEASE")]
    public void VocTakesSbdAsItIsUnpacked(params string[] place)
    {
        using var data = new TinyData();
        string[] voc = ["VOCdevkit", "VOC2012"];
        data.Text("a\n", [.. voc, "ImageSets", "Segmentation", "train.txt"]);
        data.Text("v\n", [.. voc, "ImageSets", "Segmentation", "val.txt"]);
        Assert.Contains(
            "no aug.txt beside it and no SBD (VOCaug/dataset or benchmark_RELEASE/dataset",
            Assert.Throws<InputException>(() => VocDataset.Open(data.Root, "trainaug")).Message,
            StringComparison.Ordinal);
        foreach (string id in new[] { "a", "v", "c", "b" })
        {
            data.Picture(6, 4, [.. voc, "JPEGImages", id + ".jpg"]);
            data.Bytes(Sbd(6, 4, id[0] - 'a' + 1), [.. place, "dataset", "cls", id + ".mat"]);
        }

        data.Mask(TinyData.Labels(6, 4, 20), [.. voc, "SegmentationClass", "a.png"]);
        data.Text("c\nv\n", [.. place, "dataset", "train.txt"]);
        data.Text("b\na\n", [.. place, "dataset", "val.txt"]);
        foreach (string root in new[] { data.Root, data.At("VOCdevkit"), data.At(voc) })
        {
            var dataset = VocDataset.Open(root, "trainaug");
            Assert.Equal(["a", "c", "b"], Enumerable.Range(0, dataset.Count).Select(dataset.GetId));
            dataset.CheckFiles();
            Assert.Equal([19, 2, 1], Enumerable.Range(0, 3).Select(i => (int)dataset.Read(i).Labels.Labels[0]));
        }

        // mmsegmentation's list, SBD's masks.
        data.Text("b\n", [.. voc, "ImageSets", "Segmentation", "trainaug.txt"]);
        Assert.Equal(1, VocDataset.Open(data.Root, "trainaug").Read(0).Labels.Labels[0]);
    }

    [Fact]
    public void VocNamesBadValuesMissingFilesAndOtherSizes()
    {
        using var data = new TinyData();
        data.Text("a\nb\nc\n", "ImageSets", "Segmentation", "val.txt");
        data.Picture(6, 4, "JPEGImages", "a.jpg");
        data.Picture(6, 4, "JPEGImages", "b.jpg");
        data.Mask(TinyData.Labels(6, 4, 0, 21), "SegmentationClass", "a.png");
        data.Mask(TinyData.Labels(4, 6, 1), "SegmentationClass", "b.png");
        var dataset = VocDataset.Open(data.Root, "val");

        string value = Assert.Throws<InputException>(() => dataset.ReadLabels(0)).Message;
        Assert.Contains("a.png", value);
        Assert.Contains("21", value);
        string size = Assert.Throws<InputException>(() => dataset.Read(1)).Message;
        Assert.Contains("b.png", size);
        Assert.Contains("4x6", size);
        Assert.Contains("6x4", size);
        Assert.Contains("c.jpg", Assert.Throws<InputException>(() => dataset.Read(2)).Message);
        Assert.Contains("c.jpg", Assert.Throws<InputException>(dataset.CheckFiles).Message);
        data.Text("a\na\n", "ImageSets", "Segmentation", "twice.txt");
        Assert.Contains("'a'", Assert.Throws<InputException>(() => VocDataset.Open(data.Root, "twice")).Message);
    }

    [Fact]
    public void NamesWithLineBreaksAreRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "names there hold no line breaks");
        using var data = new TinyData();
        data.Text("cat\n", "classes.txt");
        data.Picture(6, 4, "images", "a\nb.png");
        Assert.Contains(
            "expected file names on one line, found 'a b.png' with a line break",
            Assert.Throws<InputException>(() => FolderDataset.Open(data.Root, "all")).Message);
    }

    // The second path of a line is the mask's, whatever stands between: it was taken for the picture where that is no blank.
    [Theory]
    [InlineData("images/a.png,masks/b.png")]
    [InlineData("images/a.png; masks/b.png")]
    [InlineData("images/a.png | masks/b.png")]
    [InlineData("/images/a.png\tmasks/b.png")]
    [InlineData("a.png,b.png")]
    public void ALinePairsPictureAndMask(string line)
    {
        using var data = new TinyData();
        foreach (string id in new[] { "a", "b" })
        {
            data.Picture(6, 4, "images", id + ".png");
            data.Mask(TinyData.Labels(6, 4, (byte)(id[0] - 'a')), "masks", id + ".png");
        }

        data.Text("cat\ndog\n", "classes.txt");
        data.Text(line + "\n", "train.txt");
        var dataset = FolderDataset.Open(data.Root, "train");
        Assert.Equal("a", dataset.GetId(0));
        Assert.Equal(1, dataset.ReadLabels(0).Labels[0]);
        data.Text(line.Replace("b.png", "c.png", StringComparison.Ordinal) + "\n", "train.txt");
        Assert.Contains("c.png' not found", Assert.Throws<InputException>(() => FolderDataset.Open(data.Root, "train")).Message);
    }

    [Theory]
    [InlineData("/JPEGImages/a.jpg,/SegmentationClass/b.png", "a")]
    [InlineData("JPEGImages/a.jpg;SegmentationClass/b.png", "a")]
    [InlineData("JPEGImages/a,SegmentationClass/b", "a")]
    [InlineData("a.jpg, b.png", "a")]
    [InlineData("JPEGImages\\a.jpg SegmentationClass\\b.png", "a")]
    [InlineData("a,b", "a,b")]
    public void TheFirstPathOfALineOfVocCounts(string line, string expected)
    {
        using var data = new TinyData();
        data.Text(line + "\n", "ImageSets", "Segmentation", "val.txt");
        Assert.Equal(expected, VocDataset.Open(data.Root, "val").GetId(0));
    }

    [Fact]
    public void CocoStuffReadsConvertedAndRawLabels()
    {
        using var data = new TinyData();
        data.Picture(5, 3, "images", "val2017", "000000000139.jpg");
        data.Picture(5, 3, "images", "val2017", "000000000285.jpg");
        data.Text("what macOS keeps beside a file", "images", "val2017", "._000000000285.jpg");
        data.Mask(TinyData.Labels(5, 3, 170, 255), "annotations", "val2017", "000000000139_labelTrainIds.png");
        data.Mask(TinyData.Labels(5, 3, 181), "annotations", "val2017", "000000000139.png");
        data.Mask(TinyData.Labels(5, 3, 181, 11, 12), "annotations", "val2017", "000000000285.png");
        var dataset = CocoStuffDataset.Open(data.Root, "val");
        Assert.Equal(2, dataset.Count);
        Assert.Equal(TinyData.Labels(5, 3, 170, 255).Labels, dataset.ReadLabels(0).Labels);
        Assert.Equal(TinyData.Labels(5, 3, 170, 255, 11).Labels, dataset.ReadLabels(1).Labels);
        data.Mask(TinyData.Labels(5, 3, 171), "annotations", "val2017", "000000000139_labelTrainIds.png");
        Assert.Contains("171", Assert.Throws<InputException>(() => dataset.ReadLabels(0)).Message);
        data.Mask(TinyData.Labels(5, 3, 182), "annotations", "val2017", "000000000285.png");
        Assert.Contains("182", Assert.Throws<InputException>(() => dataset.ReadLabels(1)).Message);
        Assert.Contains("train2017", Assert.Throws<InputException>(() => CocoStuffDataset.Open(data.Root, "train")).Message);
    }

    [Fact]
    public void PascalContextHas59Or60Classes()
    {
        using var data = new TinyData();
        data.Text("2008_000002\n", "VOC2010", "ImageSets", "SegmentationContext", "val.txt");
        data.Picture(5, 3, "VOC2010", "JPEGImages", "2008_000002.jpg");
        data.Mask(TinyData.Labels(5, 3, 0, 1, 59), "VOC2010", "SegmentationClassContext", "2008_000002.png");
        Assert.Equal(TinyData.Labels(5, 3, 255, 0, 58).Labels, PascalContextDataset.Open(data.Root, "val").Read(0).Labels.Labels);
        var sixty = PascalContextDataset.Open(data.Root, "val", background: true);
        Assert.Equal(TinyData.Labels(5, 3, 0, 1, 59).Labels, sixty.Read(0).Labels.Labels);
        Assert.Equal("pascal-context60/val", sixty.Name);
    }

    [Fact]
    public void FolderWithListsAndSplits()
    {
        using var data = new TinyData();
        data.Text("cat\ndog\nsky\n", "classes.txt");
        foreach (string name in new[] { "b.jpg", "a.v2.png", "my cat.webp" })
        {
            data.Picture(4, 4, "images", name);
            data.Mask(TinyData.Labels(4, 4, 0, 2, 255), "masks", Path.GetFileNameWithoutExtension(name) + ".png");
        }

        var all = FolderDataset.Open(data.Root, "train");
        Assert.Equal(["a.v2", "b", "my cat"], Enumerable.Range(0, all.Count).Select(all.GetId));
        Assert.Empty(all.Split.Unseen);
        Assert.Equal(TinyData.Labels(4, 4, 0, 2, 255).Labels, all.Read(2).Labels.Labels);

        data.Text("Sky\n", "unseen.txt");
        data.Text("my cat\na.v2\n", "val.txt");
        var val = FolderDataset.Open(data.Root, "val");
        Assert.Equal(["my cat", "a.v2"], Enumerable.Range(0, val.Count).Select(val.GetId));
        Assert.Equal([2], val.Split.Unseen);
        Assert.Equal([0, 1], val.Split.Seen);
        Assert.Contains("train.txt", Assert.Throws<InputException>(() => FolderDataset.Open(data.Root, "train")).Message);
        Assert.Equal(3, FolderDataset.Open(data.Root, "all").Count);
        Assert.StartsWith("2 of 2 validation pictures are training pictures, too", SharedFiles.Note(FolderDataset.Open(data.Root, "all"), val));
        Assert.StartsWith("2 of 3 validation pictures", SharedFiles.Note(new CachedDataset(val, 1), FolderDataset.Open(data.Root, "all")));
        data.Text("b\n", "other.txt");
        Assert.Null(SharedFiles.Note(FolderDataset.Open(data.Root, "other"), val));

        data.Text("cat\nsky\n", "seen.txt");
        Assert.Contains("both seen and unseen", Assert.Throws<InputException>(() => FolderDataset.Open(data.Root, "val")).Message);
        data.Text("cat\ndog\n", "seen.txt");
        Assert.Equal([2], FolderDataset.Open(data.Root, "val").Split.Unseen);
        data.Text("nothing\n", "val.txt");
        Assert.Contains("'nothing'", Assert.Throws<InputException>(() => FolderDataset.Open(data.Root, "val")).Message);
        data.Picture(4, 4, "images", "b.png");
        Assert.Contains("'b'", Assert.Throws<InputException>(() => FolderDataset.Open(data.Root, "all")).Message);
    }

    private static byte[] Sbd(int width, int height, int label)
    {
        var writer = new MatWriter();
        double[] values = [.. Enumerable.Repeat((double)label, width * height)];
        byte[] labels = writer.Matrix("", MatKind.UInt8, MatType.UInt8, height, width, values);
        return writer.Add(writer.Struct("GTcls", ("CategoriesPresent", labels), ("Segmentation", labels)), compressed: true).File();
    }
}
