using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Inference;

/// <summary>Confusion matrices of label maps of either width.</summary>
public sealed class ConfusionTests
{
    [Fact]
    public void EveryPixelOfManyClassesIsCountedOnce()
    {
        const int Classes = 300, Width = 97, Height = 61;
        ushort[] truths = Draw(1, Width * Height, Classes + 1), labels = Draw(2, Width * Height, Classes);
        var expected = new double[Classes, Classes + 1];
        for (int i = 0; i < truths.Length; i++)
        {
            truths[i] = i % 11 == 0 ? ushort.MaxValue : truths[i];
            labels[i] = i % 7 == 0 ? ushort.MaxValue : labels[i];
            if (truths[i] < Classes)
            {
                expected[truths[i], Math.Min(labels[i], (ushort)Classes)]++;
            }
        }

        var confusion = new Confusion(Classes);
        using var device = new CpuDevice(1);
        Evaluator.Count(device, LabelMap.FromWide(Width, Height, truths), LabelMap.FromWide(Width, Height, labels), confusion);
        Assert.Equal(expected.Cast<double>(), confusion.Counts.Select(count => (double)count));
        Assert.Equal(truths.Count(t => t < Classes), confusion.Pairs().Sum(pair => pair.Pixels));
        Assert.All(confusion.Pairs(), pair => Assert.Equal(expected[pair.Truth, pair.Predicted], pair.Pixels));
        Assert.Throws<ArgumentException>(() => confusion.Add(LabelMap.FromWide(1, 2, [0, 0]), LabelMap.FromWide(2, 1, [0, 0])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(21)]
    [InlineData(255)]
    public void BothWidthsCountTheSame(int classes)
    {
        const int Width = 53, Height = 41;
        LabelMap truth = Bytes(3, Width, Height, classes), labels = Bytes(4, Width, Height, classes);
        Confusion bytes = new(classes), wide = new(classes), mixed = new(classes);
        using var device = new CpuDevice(1);
        Evaluator.Count(device, truth, labels, bytes);
        Evaluator.Count(device, new LabelMap(LabelMap16.From(truth)), new LabelMap(LabelMap16.From(labels)), wide);
        Evaluator.Count(device, truth, new LabelMap(LabelMap16.From(labels)), mixed);
        Assert.True(bytes.Counts.Sum() > 1000);
        Assert.Equal(bytes.Counts, wide.Counts);
        Assert.Equal(bytes.Counts, mixed.Counts);
    }

    [Fact]
    public void MatricesThatTakeAllMemoryAreRefused()
    {
        Confusion.CheckRoom("mine/val", 1203);
        Assert.Equal(
            "mine/val: 65535 classes, expected at most 16383 to be scored: the confusion matrix would take 32.0 GiB",
            Assert.Throws<InputException>(() => Confusion.CheckRoom("mine/val", 65535)).Message);
    }

    [Theory]
    [InlineData(1, "labels look shifted by one: each class is taken for the one that follows it")]
    [InlineData(0, null)]
    [InlineData(7, "'c 0' is taken for 'c 7'")]
    [InlineData(-1, null)]
    public void ShiftsAmongManyClassesAreSeen(int by, string? expected)
    {
        // -1: all pixels are taken for one class, which is a bad model and no shift.
        const int Classes = 600;
        var confusion = new Confusion(Classes);
        for (int c = 0; c < Classes; c++)
        {
            confusion.Counts[(c * (Classes + 1)) + (by < 0 ? 0 : (c + by) % Classes)] = 100;
        }

        string? note = LabelShift.Find(confusion, new ClassList(Enumerable.Range(0, Classes).Select(c => $"c {c}"), "test"));
        Assert.Equal(expected is null, note is null);
        Assert.Contains(expected ?? "", note ?? "");
    }

    private static LabelMap Bytes(ulong seed, int width, int height, int classes) =>
        new(width, height, [.. Draw(seed, width * height, classes + 1).Select(label => label == classes ? LabelMap.Ignore : (byte)label)]);

    private static ushort[] Draw(ulong seed, int count, int bound)
    {
        var random = new CounterRandom(seed, 1);
        var labels = new ushort[count];
        foreach (ref ushort label in labels.AsSpan())
        {
            label = (ushort)random.NextInt(bound);
        }

        return labels;
    }
}
