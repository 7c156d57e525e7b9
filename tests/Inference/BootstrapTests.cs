using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Inference;

/// <summary>Intervals over pictures.</summary>
public sealed class BootstrapTests
{
    private static readonly ClassList Classes = new(["seen", "unseen"], "test");
    private static readonly ZeroShotSplit Split = ZeroShotSplit.WithUnseen(2, [1], "test");

    [Fact]
    public void PicturesThatAgreeLeaveNoDoubt()
    {
        var pictures = Enumerable.Range(0, 20).Select(_ => Picture(80, 20, 10, 90)).ToArray();
        ScoreIntervals s = Bootstrap.Of(pictures, Classes, Split);
        Assert.Equal(80 / 110.0, s.Seen.Value, 12);
        Assert.Equal(s.Seen.Value, s.Seen.Low, 12);
        Assert.Equal(s.Seen.Value, s.Seen.High, 12);
        Assert.Equal(0.85, s.PixelAccuracy.Value, 12);
    }

    /// <summary>Pixel accuracy of equally large pictures is a mean, whose deviation is known: sigma / sqrt(n).</summary>
    [Fact]
    public void AnIntervalOfAMeanIsAsWideAsTheorySays()
    {
        var random = new CounterRandom(3, 0);
        var right = new double[400];
        var pictures = new Confusion[right.Length];
        for (int i = 0; i < right.Length; i++)
        {
            int hits = random.NextInt(0, 101);
            right[i] = (hits + 100) / 200.0;
            pictures[i] = Picture(hits, 100 - hits, 0, 100);
        }

        double mean = right.Average(), sigma = Math.Sqrt(
            right.Sum(r => (r - mean) * (r - mean)) / right.Length), half = 1.96 * sigma / Math.Sqrt(right.Length);
        Interval interval = Bootstrap.Of(pictures, Classes, Split).PixelAccuracy;
        Assert.Equal(mean, interval.Value, 12);
        Assert.InRange(interval.High - mean, 0.85 * half, 1.15 * half);
        Assert.InRange(mean - interval.Low, 0.85 * half, 1.15 * half);
    }

    /// <summary>Of 1000 resamples, drawn as documented, the 25th from either end: no interpolation.</summary>
    [Fact]
    public void EndsAreTheTwentyFifthFromEitherEnd()
    {
        Confusion[] pictures = [.. Enumerable.Range(0, 30).Select(i => Picture(3 * i, 100 - (3 * i), i, 100 - i))];
        var drawn = new double[1000];
        for (int r = 0; r < drawn.Length; r++)
        {
            var random = new CounterRandom(9, (ulong)r);
            drawn[r] = Enumerable.Range(0, 30).Sum(_ => 100 + (2.0 * random.NextInt(30))) / (200 * 30);
        }

        Array.Sort(drawn);
        Interval interval = Bootstrap.Of(pictures, Classes, Split, seed: 9).PixelAccuracy;
        Assert.Equal(drawn[24], interval.Low, 12);
        Assert.Equal(drawn[975], interval.High, 12);
    }

    [Fact]
    public void WhatIsHardForBothModelsCancels()
    {
        var random = new CounterRandom(4, 0);
        var first = new Confusion[100];
        var second = new Confusion[100];
        for (int i = 0; i < first.Length; i++)
        {
            int hits = random.NextInt(0, 91);
            first[i] = Picture(hits, 100 - hits, 0, 100);
            second[i] = Picture(hits + 10, 90 - hits, 0, 100);
        }

        ScoreIntervals gain = Bootstrap.Difference(first, second, Classes, Split);
        Assert.Equal(0.05, gain.PixelAccuracy.Value, 12);
        Assert.Equal(0.05, gain.PixelAccuracy.Low, 9);
        ScoreIntervals alone = Bootstrap.Of(second, Classes, Split);
        Assert.True(alone.PixelAccuracy.High - alone.PixelAccuracy.Low > 0.04);
    }

    private static Confusion Picture(int seenRight, int seenWrong, int unseenWrong, int unseenRight)
    {
        var confusion = new Confusion(2);
        confusion.Counts[0] = seenRight;
        confusion.Counts[1] = seenWrong;
        confusion.Counts[3] = unseenWrong;
        confusion.Counts[4] = unseenRight;
        return confusion;
    }
}
