using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Data;

public class DataLoaderTests
{
    private static readonly AugmentConfig Small = new() { Crop = 16, Scale = [64, 24] };

    [Fact]
    public void BatchesDoNotDependOnWorkersOrPrefetch()
    {
        var reference = Collect(new DataLoaderOptions { BatchSize = 3, Workers = 1, Prefetch = 1, Seed = 5 }, 7);
        Assert.Equal(reference, Collect(new DataLoaderOptions { BatchSize = 3, Workers = 4, Prefetch = 1, Seed = 5 }, 7));
        Assert.Equal(reference, Collect(new DataLoaderOptions { BatchSize = 3, Workers = 3, Prefetch = 5, Seed = 5 }, 7));
        Assert.NotEqual(reference, Collect(new DataLoaderOptions { BatchSize = 3, Workers = 3, Prefetch = 5, Seed = 6 }, 7));
        Assert.Equal(7, reference.Select(b => b.Sum).Distinct().Count());
    }

    [Fact]
    public void StartingLaterContinuesTheSameStream()
    {
        var whole = Collect(new DataLoaderOptions { BatchSize = 3, Workers = 2, Seed = 5 }, 9);
        var rest = Collect(new DataLoaderOptions { BatchSize = 3, Workers = 2, Seed = 5, StartIteration = 5 }, 4);
        Assert.Equal(whole[5..], rest);
    }

    [Fact]
    public void EveryEpochSeesEveryPictureOnceInAnotherOrder()
    {
        var ids = Collect(new DataLoaderOptions { BatchSize = 3, Workers = 2, Seed = 1 }, 22).SelectMany(b => b.Ids.Split(' ')).ToArray();
        var first = ids[..11];
        var second = ids[11..22];
        Assert.Equal(11, first.Distinct().Count());
        Assert.Equal(11, second.Distinct().Count());
        Assert.NotEqual(first, second);
        Assert.NotEqual(Enumerable.Range(0, 11).Select(i => $"m{i}"), first);
    }

    [Fact]
    public void RanksShareTheWork()
    {
        var whole = Collect(new DataLoaderOptions { BatchSize = 4, Seed = 3 }, 3);
        var first = Collect(new DataLoaderOptions { BatchSize = 2, Seed = 3, Ranks = 2, Rank = 0 }, 3);
        var second = Collect(new DataLoaderOptions { BatchSize = 2, Seed = 3, Ranks = 2, Rank = 1 }, 3);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(whole[i].Ids, $"{first[i].Ids} {second[i].Ids}");
        }
    }

    [Fact]
    public void LabelsAreMappedAndTheUnseenMaskIsThere()
    {
        var dataset = new MemoryDataset(11);
        using (var loader = Open(dataset, LabelProtocol.Inductive, new DataLoaderOptions { BatchSize = 2 }))
        using (var batch = loader.Next())
        {
            Assert.Null(batch.Unseen);
            Assert.Equal([0, 1, 255], batch.Labels.Distinct().Order().Select(b => (int)b));
            Assert.Equal(2 * 3 * 16 * 16, batch.Images.Length);
        }

        using (var loader = Open(dataset, LabelProtocol.Transductive, new DataLoaderOptions { BatchSize = 2 }))
        using (var batch = loader.Next())
        {
            Assert.Equal([0, 2, 255], batch.Labels.Distinct().Order().Select(b => (int)b));
            Assert.InRange(batch.Unseen!.Count(u => u == 1), 50, 450);
            Assert.All(batch.Unseen!.Zip(batch.Labels), p => Assert.True(p.First == 0 || p.Second == 255));
        }
    }

    [Fact]
    public void BuffersAreRecycledNotAllocatedAnew()
    {
        using var loader = Open(new MemoryDataset(11), LabelProtocol.Inductive, new DataLoaderOptions { BatchSize = 2, Prefetch = 2 });
        var buffers = new HashSet<object>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < 30; i++)
        {
            using var batch = loader.Next();
            Assert.Equal(i, batch.Iteration);
            buffers.Add(batch.Images);
        }

        Assert.InRange(buffers.Count, 1, 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void AnErrorSurfacesAtItsBatchWithItsMessage(int workers)
    {
        var options = new DataLoaderOptions { BatchSize = 2, Workers = workers, Prefetch = 4, Seed = 8 };
        int bad = new SampleOrder(8, 11)[5];
        using (var loader = Open(new MemoryDataset(11, bad, new InputException("x.png: damaged")), LabelProtocol.Inductive, options))
        {
            loader.Next().Dispose();
            loader.Next().Dispose();
            Assert.Equal("x.png: damaged", Assert.Throws<InputException>(loader.Next).Message);
            Assert.Equal("x.png: damaged", Assert.Throws<InputException>(loader.Next).Message);
        }

        using (var loader = Open(new MemoryDataset(11, bad, new ArithmeticException("odd")), LabelProtocol.Inductive, options))
        {
            loader.Next().Dispose();
            loader.Next().Dispose();
            var error = Assert.Throws<InvalidOperationException>(loader.Next);
            Assert.Contains("odd", error.Message);
            Assert.Contains($"'m{bad}'", error.Message);
        }

        using (var loader = Open(new MemoryDataset(11, bad, new InsufficientMemoryException()), LabelProtocol.Inductive, options))
        {
            loader.Next().Dispose();
            loader.Next().Dispose();
            Assert.StartsWith(
                $"data loader: there is no memory to read picture 'm{bad}' of memory",
                Assert.Throws<InputException>(loader.Next).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WhatAPictureCannotBecomeIsSaidWithItsName()
    {
        var dataset = new MemoryDataset(1);
        var augmentation = new Augmentation(Small with { ExactShortSide = true, Scale = [8000, 8000] }, Ldvc.Imaging.ImageStatistics.Clip);
        using var loader = new DataLoader(
            dataset, augmentation, new LabelMapping(dataset.Split, LabelProtocol.Inductive), new DataLoaderOptions { BatchSize = 1 });
        Assert.StartsWith(
            "memory: picture 'm0': a picture of 20x30 pixels is too long and narrow", Assert.Throws<InputException>(loader.Next).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void DisposingEndsTheThreadsEvenWhenNothingIsConsumed()
    {
        var loader = Open(new MemoryDataset(11), LabelProtocol.Inductive, new DataLoaderOptions { BatchSize = 2, Workers = 3 });
        var held = loader.Next();
        loader.Dispose();
        loader.Dispose();
        held.Dispose();
        Assert.Throws<ObjectDisposedException>(loader.Next);
        Assert.All(loader.Threads, t => Assert.False(t.IsAlive));
    }

    [Fact]
    public void BadOptionsAreRefused()
    {
        foreach (var options in new[]
        {
            new DataLoaderOptions { BatchSize = 0 }, new DataLoaderOptions { Workers = 0 }, new DataLoaderOptions { Prefetch = 0 },
            new DataLoaderOptions { StartIteration = -1 }, new DataLoaderOptions { Rank = 1 },
        })
        {
            Assert.Contains("data loader", Assert.Throws<InputException>(() => Open(new MemoryDataset(2), LabelProtocol.Inductive, options)).Message);
        }
    }

    private static DataLoader Open(SegmentationDataset dataset, LabelProtocol protocol, DataLoaderOptions options)
        => new(dataset, new Augmentation(Small, Ldvc.Imaging.ImageStatistics.Clip), new LabelMapping(dataset.Split, protocol), options);

    // Batches as values: the ids, and a hash of every number.
    private static List<(string Ids, long Sum)> Collect(DataLoaderOptions options, int count)
    {
        using var loader = Open(new MemoryDataset(11), LabelProtocol.Transductive, options);
        var result = new List<(string, long)>();
        for (int i = 0; i < count; i++)
        {
            using var batch = loader.Next();
            long sum = 17;
            foreach (float value in batch.Images)
            {
                sum = (sum * 31) + BitConverter.SingleToInt32Bits(value);
            }

            foreach (byte value in batch.Labels.Concat(batch.Unseen!))
            {
                sum = (sum * 31) + value;
            }

            result.Add((string.Join(' ', batch.Ids), sum));
        }

        return result;
    }
}
