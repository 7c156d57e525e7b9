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
        Assert.Equal([2L, 3, 1], RunLengths.Of([0, 1, 0, 1, 1, 0], 2, 3, 1));
        Assert.Equal([0L, 6], RunLengths.Of([7, 7, 7, 7, 7, 7], 2, 3, 7));
        Assert.Equal([6L], RunLengths.Of([7, 7, 7, 7, 7, 7], 2, 3, 1));
    }

    [Fact]
    public void TheTextReadsBack()
    {
        var random = new Random(4);
        for (int round = 0; round < 50; round++)
        {
            ushort[] labels = [.. Enumerable.Range(0, 40 * 70)
                .Select(i => (ushort)((i / (1 + round)) % 3 == 0 ? 1 : random.Next(round < 25 ? 2 : 1)))];
            List<long> runs = RunLengths.Of(labels, 70, 40, 1);
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
