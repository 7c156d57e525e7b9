using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Data;

public class SplitTests
{
    [Fact]
    public void PublishedSplitsHaveTheirPublishedIds()
    {
        var voc = KnownDatasets.Voc2012();
        Assert.Equal(20, voc.Classes.Count);
        Assert.Equal([15, 16, 17, 18, 19], voc.Split.Unseen);
        Assert.Equal("tvmonitor", voc.Classes[19]);

        var coco = KnownDatasets.CocoStuff164k();
        Assert.Equal(171, coco.Classes.Count);
        Assert.Equal([19, 23, 28, 29, 36, 51, 76, 88, 94, 112, 133, 136, 137, 157, 160], coco.Split.Unseen);
        Assert.Equal(156, coco.Split.Seen.Length);
        Assert.Equal("wood", coco.Classes[170]);

        var context = KnownDatasets.PascalContext();
        Assert.Equal([0, 6, 7, 14, 19, 24, 31, 33, 48, 54], context.Split.Unseen);
        Assert.Equal(49, context.Split.Seen.Length);
        var context60 = KnownDatasets.PascalContext(background: true);
        Assert.Equal([1, 7, 8, 15, 20, 25, 32, 34, 49, 55], context60.Split.Unseen);
        Assert.Equal("background", context60.Classes[0]);
        Assert.Equal([0, 2, 3, 7, 9, 13, 17, 19, 31, 37], KnownDatasets.PascalContext(cascadeClipSplit: true).Split.Unseen);
    }

    [Fact]
    public void CocoRawValuesSkipTheDroppedCategories()
    {
        var map = KnownDatasets.CocoStuffRawToTrain();
        Assert.Equal(171, map[..255].Count(id => id >= 0));
        Assert.Equal(10, map[10]);
        Assert.Equal(-1, map[11]);
        Assert.Equal(11, map[12]);
        Assert.Equal(170, map[181]);
        Assert.Equal(-1, map[182]);

        // The raw ids of the published unseen classes.
        Assert.Equal(
            KnownDatasets.CocoStuff164k().Split.Unseen,
            new[] { 20, 24, 32, 33, 40, 56, 86, 99, 105, 123, 144, 147, 148, 168, 171 }.Select(r => map[r]));
    }

    [Fact]
    public void ClassListsRejectDuplicatesAndEmptyNames()
    {
        Assert.Contains("'Cat'", Assert.Throws<InputException>(() => new ClassList(["cat", "dog", "Cat"], "f.txt")).Message);
        Assert.Contains("f.txt", Assert.Throws<InputException>(() => new ClassList(["cat", " "], "f.txt")).Message);
        Assert.Throws<InputException>(() => new ClassList([], "f.txt"));
        Assert.Throws<InputException>(() => new ClassList(Enumerable.Range(0, 65536).Select(i => $"c{i}"), "f.txt"));
        var list = new ClassList(["cat", "dog"], "f.txt");
        Assert.Equal(1, list.IndexOf("DOG"));
        Assert.Contains("'cow'", Assert.Throws<InputException>(() => list.IndicesOf(["dog", "cow"], "unseen.txt")).Message);
    }

    [Fact]
    public void SplitsRejectOverlapGapsAndRange()
    {
        Assert.Contains("both seen and unseen", Assert.Throws<InputException>(() => new ZeroShotSplit(3, [0, 1], [1, 2], "s")).Message);
        Assert.Contains("neither", Assert.Throws<InputException>(() => new ZeroShotSplit(3, [0], [2], "s")).Message);
        Assert.Contains("twice", Assert.Throws<InputException>(() => new ZeroShotSplit(3, [0, 0, 1], [2], "s")).Message);
        Assert.Contains("class id 3", Assert.Throws<InputException>(() => new ZeroShotSplit(3, [0, 1, 2], [3], "s")).Message);
        Assert.Contains("at least one seen class", Assert.Throws<InputException>(() => new ZeroShotSplit(2, [], [0, 1], "s")).Message);
        var split = new ZeroShotSplit(4, [2, 0], [3, 1], "s");
        Assert.Equal([0, 2], split.Seen);
        Assert.False(split.IsSeen(1));
        Assert.True(split.IsSeen(2));
    }

    [Fact]
    public void MappingsOfTheThreeProtocols()
    {
        var split = ZeroShotSplit.WithUnseen(5, [1, 3], "s");
        byte[] ids = [0, 1, 2, 3, 4, 255];
        var labels = new byte[6];
        var unseen = new byte[6];

        var inductive = new LabelMapping(split, LabelProtocol.Inductive);
        inductive.Apply(ids, labels);
        Assert.Equal([0, 255, 1, 255, 2, 255], labels);
        Assert.Equal([0, 2, 4], inductive.ClassIds);
        Assert.False(inductive.HasUnseenMask);

        var transductive = new LabelMapping(split, LabelProtocol.Transductive);
        transductive.Apply(ids, labels, unseen);
        Assert.Equal([0, 255, 2, 255, 4, 255], labels);
        Assert.Equal([0, 1, 0, 1, 0, 0], unseen);
        Assert.Equal([0, 1, 2, 3, 4], transductive.ClassIds);

        // In place, which the loader relies on.
        byte[] inPlace = [.. ids];
        transductive.Apply(inPlace, inPlace, unseen);
        Assert.Equal(labels, inPlace);
        Assert.Equal([0, 1, 0, 1, 0, 0], unseen);

        var supervised = new LabelMapping(split, LabelProtocol.Supervised);
        supervised.Apply(ids, labels, unseen);
        Assert.Equal(ids, labels);
        Assert.Equal(new byte[6], unseen);
    }

    [Fact]
    public void SyntheticScenesAreADataset()
    {
        var dataset = new SyntheticDataset(new Ldvc.Lab.Synthetic.SceneDataset("val", 3));
        Assert.Equal(30, dataset.Classes.Count);
        Assert.Equal([24, 25, 26, 27, 28, 29], dataset.Split.Unseen);
        var (image, labels) = dataset.Read(1);
        Assert.Equal((image.Width, image.Height), (labels.Width, labels.Height));
        Assert.All(labels.Labels, l => Assert.True(l is < 30 or LabelMap.Ignore));
    }
}
