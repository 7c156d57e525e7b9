using System.Globalization;
using Ldvc.Lab.Evidence;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// What may be said of two rows, read off their paired differences: who is ahead only where the 95 % interval of the mean difference is on one side
/// of 0, and "on every seed" only of five or more.
/// </summary>
internal static class Claims
{
    // Of two equal methods one is ahead on all of four seeds in one case of eight, on all of five in one of sixteen.
    private const int FewestForEvery = 5;

    private static readonly string[] Scores = [LedgerScores.Unseen, LedgerScores.Seen, LedgerScores.Harmonic];

    /// <summary>Sentences about all trained rows against the first.</summary>
    /// <param name="rows">The rows of a comparison.</param>
    /// <param name="pair">What a pair is called: "seed" or "run".</param>
    internal static IReadOnlyList<string> All(IReadOnlyList<LedgerRow> rows, string pair)
    {
        LedgerRow[] trained = [.. rows.Where(row => row.Trained)];
        return
        [
            .. from row in trained.Skip(1)
               from score in Scores
               let differences = Differences(row, trained[0], run => run.Scores.GetValueOrDefault(score, double.NaN))
               let sentence = Sentence(row.Title, trained[0].Title, Header(score), differences, pair)
               where sentence is not null
               select sentence,
        ];
    }

    /// <summary>One sentence; null where there is nothing to compare.</summary>
    /// <param name="better">The row that the other one is subtracted from.</param>
    /// <param name="worse">The other one.</param>
    /// <param name="score">The score's name.</param>
    /// <param name="differences">Differences as shares, pair by pair.</param>
    /// <param name="pair">What a pair is called.</param>
    internal static string? Sentence(string better, string worse, string score, IReadOnlyList<double> differences, string pair)
    {
        if (differences.Count == 0 || differences.Any(double.IsNaN))
        {
            return null;
        }

        if (PairedTTest.Of(differences) is not { } test)
        {
            return $"{score}: {better} minus {worse} is {Points(differences[0])} points on one {pair}, which says nothing about others.";
        }

        int n = differences.Count, ahead = differences.Count(d => d > 0), behind = differences.Count(d => d < 0);
        string many = n < FewestForEvery ? "" : (ahead, behind) switch
        {
            _ when ahead == n => $", {better} ahead on every {pair}",
            _ when behind == n => $", {worse} ahead on every {pair}",
            _ => $", {better} ahead on {ahead} of {n} {pair}s",
        };
        return $"{score}: {Verdict(test, better, worse)}; {better} minus {worse} is {Points(test.Difference.Mean)} points, "
            + $"95 % interval {Points(test.Low)} to {Points(test.High)} ({n} {pair}s{many}).";
    }

    /// <summary>"LDVC is ahead", "the two are not told apart".</summary>
    internal static string Verdict(PairedTTest test, string better, string worse) =>
        test.Low > 0 ? $"{better} is ahead" : test.High < 0 ? $"{worse} is ahead" : "the two are not told apart";

    /// <summary>Differences between runs of the same split and seed.</summary>
    /// <param name="better">The row that the other one is subtracted from.</param>
    /// <param name="worse">The other one.</param>
    /// <param name="number">The number of a run.</param>
    internal static double[] Differences(LedgerRow better, LedgerRow worse, Func<LedgerRun, double> number)
    {
        var other = worse.Runs.ToDictionary(run => (run.Split, run.Seed));
        return
        [
            .. better.Runs
                .Where(run => other.ContainsKey((run.Split, run.Seed)))
                .Select(run => number(run) - number(other[(run.Split, run.Seed)])),
        ];
    }

    /// <summary>"+8.7": a share as points with its sign.</summary>
    internal static string Points(double share) =>
        double.IsNaN(share) ? "-" : (100 * share).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture);

    /// <summary>"+8.7 (+2.9 to +14.5)"; without the interval for a single pair, "-" for none.</summary>
    internal static string PointsText(IReadOnlyList<double> differences) =>
        PairedTTest.Of(differences) is { } test ? $"{Points(test.Difference.Mean)} ({Points(test.Low)} to {Points(test.High)})"
        : differences.Count == 1 ? Points(differences[0]) : "-";

    private static string Header(string score) => LedgerScores.Four.First(s => s.Name == score).Header;
}
