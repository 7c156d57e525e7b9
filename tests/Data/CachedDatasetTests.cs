using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Data;

public class CachedDatasetTests
{
    // Pictures of MemoryDataset take 4 bytes a pixel with their labels.
    private static readonly MemoryDataset Inner = new(11);

    [Fact]
    public void WhatIsKeptIsReadOnce()
    {
        var cached = new CachedDataset(Inner, 1 << 20);
        var first = cached.Read(3);
        Assert.Same(first.Image, cached.Read(3).Image);
        Assert.Same(first.Labels, cached.Read(3).Labels);
        Assert.Same(first.Image, cached.ReadImage(3));
        Assert.Same(first.Labels, cached.ReadLabels(3));
        Assert.Equal(Inner.ReadImage(3).Pixels, first.Image.Pixels);
        Assert.Equal(Inner.ReadLabels(3).Labels, first.Labels.Labels);
        Assert.Equal(first.Image.Pixels.Length + first.Labels.Labels.Length, cached.Bytes);
    }

    [Fact]
    public void WhatFindsNoPlaceIsReadAgain()
    {
        long one = 4L * Inner.ReadLabels(0).Labels.Length;
        var cached = new CachedDataset(Inner, one);
        var first = cached.Read(0);
        var second = cached.Read(1);
        Assert.NotSame(second.Image, cached.Read(1).Image);
        Assert.Equal(Inner.ReadImage(1).Pixels, cached.Read(1).Image.Pixels);
        Assert.Same(first.Image, cached.Read(0).Image);
        Assert.Equal(one, cached.Bytes);
        Assert.Equal(0, Filled(new CachedDataset(Inner, 7)));
    }

    [Fact]
    public void ManyReadersFindTheSamePictures()
    {
        var cached = new CachedDataset(Inner, 1 << 20);
        Parallel.For(0, 400, i => Assert.Equal(Inner.ReadImage(i % 11).Pixels, cached.Read(i % 11).Image.Pixels));
        Assert.Equal(Enumerable.Range(0, 11).Sum(i => 4L * Inner.ReadLabels(i).Labels.Length), cached.Bytes);
    }

    // A kept picture is handed to every epoch: nothing may be written into it, not even where the sample is the picture itself.
    [Fact]
    public void AugmentingLeavesThePictureAlone()
    {
        var (image, labels) = (TinyData.Pattern(16, 16, 5), new LabelMap(16, 16));
        byte[] pixels = [.. image.Pixels], ids = [.. labels.Labels];
        var augmentation = new Augmentation(
            new AugmentConfig { Crop = 16, Scale = [16, 16], Ratio = [1, 1], Flip = 1 }, Ldvc.Imaging.ImageStatistics.Clip);
        for (ulong stream = 0; stream < 20; stream++)
        {
            augmentation.Apply(image, labels, new CounterRandom(1, stream), new float[3 * 16 * 16], new byte[16 * 16]);
        }

        Assert.Equal(pixels, image.Pixels);
        Assert.Equal(ids, labels.Labels);
    }

    [Fact]
    public void OnlyTrainingPicturesAreKept()
    {
        LdvcConfig config = ConfigLoader.Load(SmallConfig(), ["data.cache=3"]);
        var training = Assert.IsType<CachedDataset>(DrawnData.Registry.OpenTraining(config));
        Assert.Same(training.Read(0).Image, training.Read(0).Image);
        Assert.IsNotType<CachedDataset>(DrawnData.Registry.OpenValidation(config));
        Assert.IsNotType<CachedDataset>(DrawnData.Registry.OpenTraining(ConfigLoader.Load(SmallConfig(), [])));
    }

    private static long Filled(CachedDataset cached)
    {
        for (int i = 0; i < cached.Count; i++)
        {
            cached.Read(i);
        }

        return cached.Bytes;
    }

    private static string SmallConfig() => Training.SmallRun.Config("evidence/data");
}
