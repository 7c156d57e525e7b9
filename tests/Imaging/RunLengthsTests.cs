using Ldvc.Imaging;
using Xunit;

namespace Ldvc.Tests.Imaging;

/// <summary>COCO's run lengths: counts as pycocotools defines them, and text that reads back.</summary>
public sealed class RunLengthsTests
{
    [Fact]
    public void RunsGoDownTheColumns()
    {
        // 0 1 / 0 1 / 1 0: columns 0 0 1, 1 1 0.
        Assert.Equal([[0L, 2, 3, 1], [2L, 3, 1]], RunLengths.Of([0, 1, 0, 1, 1, 0], 2, 3, 2));
        List<long>?[] one = RunLengths.Of([7, 7, 7, 7, 7, 7], 2, 3, 9);
        Assert.Equal([0L, 6], one[7]!);
        Assert.All(Enumerable.Range(0, 9).Where(label => label != 7), label => Assert.Null(one[label]));
        Assert.Empty(RunLengths.Of([9, 9, 65535], 3, 1, 0));
    }

    [Fact]
    public void AreaAndBoxAreThoseOfThePixels()
    {
        var random = new Random(7);
        for (int round = 0; round < 30; round++)
        {
            int width = 1 + random.Next(9), height = 1 + random.Next(9);
            ushort[] labels = [.. Enumerable.Range(0, width * height).Select(_ => (ushort)random.Next(1 + round))];
            List<long>?[] runs = RunLengths.Of(labels, width, height, 31);
            for (int label = 0; label < 31; label++)
            {
                int[] at = [.. Enumerable.Range(0, labels.Length).Where(i => labels[i] == label)];
                Assert.Equal(at.Length == 0, runs[label] is null);
                if (runs[label] is { } own)
                {
                    int left = at.Min(i => i % width), top = at.Min(i => i / width);
                    (long area, int[] bbox) = RunLengths.Enclose(own, height);
                    Assert.Equal(at.Length, area);
                    Assert.Equal([left, top, at.Max(i => i % width) - left + 1, at.Max(i => i / width) - top + 1], bbox);
                    Assert.Equal(labels.Length, own.Sum());
                }
            }
        }
    }

    [Fact]
    public void TheTextReadsBack()
    {
        var random = new Random(4);
        for (int round = 0; round < 50; round++)
        {
            ushort[] labels = [.. Enumerable.Range(0, 40 * 70)
                .Select(i => (ushort)((i / (1 + round)) % 3 == 0 ? 1 : random.Next(round < 25 ? 2 : 1)))];
            List<long> runs = RunLengths.Of(labels, 70, 40, 2)[1]!;
            Assert.Equal(runs, Decode(RunLengths.Encode(runs)));
            Assert.Equal(labels.Count(label => label == 1), runs.Where((_, i) => i % 2 == 1).Sum());
        }

        // A long run takes several groups; a difference may be negative.
        long[] hard = [0, 100000, 5, 31, 4, 1, 1000000, 2];
        Assert.Equal(hard, Decode(RunLengths.Encode(hard)));
    }

    // The reading half of the format, as its documentation describes it.
    private static List<long> Decode(string text)
    {
        var runs = new List<long>();
        for (int at = 0; at < text.Length;)
        {
            long value = 0;
            int shift = 0, group;
            do
            {
                group = text[at++] - 48;
                value |= (long)(group & 0x1F) << shift;
                shift += 5;
            }
            while ((group & 0x20) != 0);

            if ((group & 0x10) != 0)
            {
                value |= -1L << shift;
            }

            runs.Add(runs.Count > 2 ? value + runs[^2] : value);
        }

        return runs;
    }
}
