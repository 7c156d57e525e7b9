using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Data;

namespace Ldvc.Inference;

/// <summary>
/// Labels whose numbers do not belong to their names: a name too many or too few in the list, or names in another order. The model then takes one
/// class for another, always the same, and scores are close to zero for no reason of its own.
/// </summary>
internal static class LabelShift
{
    // A class is taken for another one when most of it is, and next to nothing for itself.
    private const double MaxMoved = 0.5;
    private const double Hardly = 0.1;

    // What a renumbering has to gain before all classes are said to be moved.
    private const double Factor = 2;
    private const double Gain = 0.2;

    // So many classes have to be taken for their neighbours.
    private const int Several = 3;

    // The best assignment of n classes takes n^3 steps; of more than these, each class is looked at alone.
    private const int MaxAssigned = 512;

    /// <summary>A sentence when a shift by one or a permutation explains a confusion matrix much better than the labels do; else null.</summary>
    /// <param name="confusion">The matrix.</param>
    /// <param name="classes">The names.</param>
    internal static string? Find(Confusion confusion, ClassList classes)
    {
        int n = confusion.Classes;
        long[] pixels = [.. Enumerable.Range(0, n).Select(confusion.Truth)];
        int[] occurring = [.. Enumerable.Range(0, n).Where(c => pixels[c] > 0)];
        if (occurring.Length < 2)
        {
            return null;
        }

        // Shares of each class's pixels, so that a frequent class counts no more than a rare one.
        double Share(int truth, int predicted) => pixels[truth] == 0 ? 0 : (double)confusion.Counts[(truth * (n + 1)) + predicted] / pixels[truth];
        double Mean(Func<int, int> to) => occurring.Average(c => to(c) >= 0 && to(c) < n ? Share(c, to(c)) : 0);
        double own = Mean(c => c);
        foreach (int by in new[] { 1, -1 })
        {
            double shifted = Mean(c => c + by);
            int mostly = occurring.Count(c => IsMostly(confusion, c, c + by));
            if (occurring.Length > 2 && mostly >= Math.Min(Several, occurring.Length - 1) && IsMuchBetter(shifted, own))
            {
                return Say($"by one: each class is taken for the one that {(by > 0 ? "follows" : "precedes")} it in the list", shifted, own);
            }
        }

        int[] best = n <= MaxAssigned ? Assignment.Best(Shares(n, Share)) : Largest(n, Share);

        // What a model says of several classes, it says because it knows no better.
        bool IsOwn(int c) => !Array.Exists(occurring, other => other != c && Share(other, best[c]) >= MaxMoved);
        int[] moved = [.. occurring.Where(c => best[c] != c && Share(c, best[c]) >= MaxMoved && Share(c, c) <= Hardly && IsOwn(c))];
        if (!IsPattern(moved, best, occurring.Length) && !(moved.Length > 2 && IsMuchBetter(Mean(c => best[c]), own)))
        {
            return null;
        }

        double explained = Mean(c => moved.Contains(c) ? best[c] : c);
        int first = best[moved[0]] - moved[0];
        return Math.Abs(first) == 1 && moved.Length > 2 && moved.All(c => best[c] - c == first)
            ? Say($"by one from {ConfigText.Quote(classes[moved[0]])} to {ConfigText.Quote(classes[moved[^1]])}: each of these classes is taken for "
                + $"the one that {(first > 0 ? "follows" : "precedes")} it in the list", explained, own)
            : Say($"or permuted: {Pairs(moved, best, classes)}", explained, own);
    }

    // Two classes that are exchanged, or several, and not just a few odd ones out of many.
    private static bool IsPattern(int[] moved, int[] best, int occurring) =>
        moved.Any(c => moved.Contains(best[c]) && best[best[c]] == c) || (moved.Length > 2 && 4 * moved.Length >= occurring);

    // Of four classes one that is taken for its neighbour is a quarter of all: means alone would call that a shift.
    private static bool IsMostly(Confusion confusion, int truth, int predicted)
    {
        ReadOnlySpan<long> row = confusion.Counts.AsSpan(truth * (confusion.Classes + 1), confusion.Classes + 1);
        return predicted >= 0 && predicted < confusion.Classes && row[predicted] > 0 && row[predicted] == Max(row);
    }

    private static long Max(ReadOnlySpan<long> counts)
    {
        long max = 0;
        foreach (long count in counts)
        {
            max = Math.Max(max, count);
        }

        return max;
    }

    private static bool IsMuchBetter(double explained, double own) => explained >= own + Gain && explained >= Factor * own;

    private static string Say(string how, double explained, double own) =>
        $"labels look shifted {how}. With that corrected, a class's accuracy would be {Percent(explained)} % on average instead of {Percent(own)} %: "
            + "do the numbers in the masks belong to the names in the list?";

    private static string Pairs(int[] moved, int[] best, ClassList classes)
    {
        const int Shown = 6;
        string text = string.Join(
            ", ", moved.Take(Shown).Select(c => $"{ConfigText.Quote(classes[c])} is taken for {ConfigText.Quote(classes[best[c]])}"));
        return moved.Length > Shown ? $"{text} and so on ({moved.Length} classes)" : text;
    }

    // Of equal assignments the one that moves least is the best.
    private static double[,] Shares(int n, Func<int, int, double> share)
    {
        const double Tie = 1e-9;
        var shares = new double[n, n];
        for (int truth = 0; truth < n; truth++)
        {
            for (int predicted = 0; predicted < n; predicted++)
            {
                shares[truth, predicted] = share(truth, predicted);
            }

            shares[truth, truth] += Tie;
        }

        return shares;
    }

    // What most of a class is taken for, if nothing else is mostly taken for the same; else the class itself.
    private static int[] Largest(int n, Func<int, int, double> share)
    {
        int[] best = [.. Enumerable.Range(0, n).Select(truth => Enumerable.Range(0, n).FirstOrDefault(p => share(truth, p) >= MaxMoved, truth))];
        var taken = new int[n];
        foreach (int predicted in best)
        {
            taken[predicted]++;
        }

        return [.. best.Select((predicted, truth) => taken[predicted] == 1 ? predicted : truth)];
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
