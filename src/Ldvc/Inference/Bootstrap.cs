using Ldvc.Data;
using Ldvc.Tensors;
using MathNet.Numerics.Statistics;

namespace Ldvc.Inference;

/// <summary>A number with the interval that holds it in 95 of 100 resamplings.</summary>
internal readonly record struct Interval(double Value, double Low, double High);

/// <summary>Intervals of the four scores.</summary>
internal sealed record ScoreIntervals(Interval PixelAccuracy, Interval Seen, Interval Unseen, Interval Harmonic);

/// <summary>
/// The percentile bootstrap over pictures (Efron and Tibshirani, 1993, chapter 13): what the scores would have been on other pictures of the same
/// kind. It says nothing about other seeds of the training. Two models are compared on the same resamples, so what makes a picture hard for both
/// cancels.
/// </summary>
internal static class Bootstrap
{
    private const int Resamples = 1000;
    private const double Tail = 0.025;

    /// <summary>Scores of one model, from its confusion matrix of each picture.</summary>
    internal static ScoreIntervals Of(IReadOnlyList<Confusion> pictures, ClassList classes, ZeroShotSplit split, ulong seed = 0)
    {
        var all = Scores.From(Sum(pictures, null), classes, split);
        Scores[] drawn = [.. Draws(pictures.Count, seed).Select(draw => Scores.From(Sum(pictures, draw), classes, split))];
        Interval Of(Func<Scores, double> part) => Percentiles(part(all), drawn.Select(part));
        return new ScoreIntervals(Of(s => s.PixelAccuracy), Of(s => s.Seen), Of(s => s.Unseen), Of(s => s.Harmonic));
    }

    /// <summary>Scores of <paramref name="second"/> minus those of <paramref name="first"/>, picture i of both being the same picture.</summary>
    internal static ScoreIntervals Difference(
        IReadOnlyList<Confusion> first, IReadOnlyList<Confusion> second, ClassList classes, ZeroShotSplit split, ulong seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Count, first.Count);
        (Scores A, Scores B) Both(int[]? draw) => (Scores.From(Sum(first, draw), classes, split), Scores.From(Sum(second, draw), classes, split));
        var all = Both(null);
        (Scores A, Scores B)[] drawn = [.. Draws(first.Count, seed).Select(Both)];
        Interval Of(Func<Scores, double> part) => Percentiles(part(all.B) - part(all.A), drawn.Select(d => part(d.B) - part(d.A)));
        return new ScoreIntervals(Of(s => s.PixelAccuracy), Of(s => s.Seen), Of(s => s.Unseen), Of(s => s.Harmonic));
    }

    private static IEnumerable<int[]> Draws(int count, ulong seed)
    {
        for (int r = 0; r < Resamples; r++)
        {
            var random = new CounterRandom(seed, (ulong)r);
            var draw = new int[count];
            foreach (ref int index in draw.AsSpan())
            {
                index = random.NextInt(count);
            }

            yield return draw;
        }
    }

    private static Confusion Sum(IReadOnlyList<Confusion> pictures, int[]? draw)
    {
        var sum = new Confusion(pictures[0].Classes);
        for (int i = 0; i < pictures.Count; i++)
        {
            sum.Add(pictures[draw is null ? i : draw[i]]);
        }

        return sum;
    }

    // Order statistics rounded outwards: of 1000 resamples the 25th from either end. Nothing is interpolated.
    private static Interval Percentiles(double value, IEnumerable<double> drawn)
    {
        double[] sorted = [.. drawn.Where(d => !double.IsNaN(d)).Order()];
        int low = 1 + (int)(Tail * (sorted.Length - 1)), high = 1 + (int)Math.Ceiling((1 - Tail) * (sorted.Length - 1));
        return sorted.Length == 0
            ? new Interval(value, double.NaN, double.NaN)
            : new Interval(value, SortedArrayStatistics.OrderStatistic(sorted, low), SortedArrayStatistics.OrderStatistic(sorted, high));
    }
}
