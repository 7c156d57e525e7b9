using Ldvc.Lab.Evidence;
using Ldvc.Lab.Reports;

namespace Ldvc.Lab.Ablation;

/// <summary>Scores over the steps of training: means over runs with Student's 95 % intervals, and what they allow to say.</summary>
internal static class LearningCurves
{
    private static readonly string[] Compared = [LedgerScores.Unseen, LedgerScores.Seen, LedgerScores.Harmonic];

    /// <summary>Steps at which every run of every trained row was scored; empty without curves.</summary>
    internal static long[] Steps(IReadOnlyList<LedgerRow> rows)
    {
        LedgerRun[] runs = [.. Trained(rows).SelectMany(row => row.Runs)];
        return runs.Length == 0 || runs.Any(run => run.Curve is null)
            ? []
            : [.. runs.Select(run => run.Curve!.Select(point => point.Step)).Aggregate((a, b) => a.Intersect(b)).Order()];
    }

    /// <summary>A line and a band for each row; one that is not trained is level.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="score">The score, by its name in the ledger.</param>
    internal static IReadOnlyList<PlotSeries> Plot(IReadOnlyList<LedgerRow> rows, string score)
    {
        long[] steps = Steps(rows);
        PlotSeries Series(LedgerRow row)
        {
            SampleStatistics Over(long step) => SampleStatistics.Of(row.Runs.Select(run => row.Trained ? At(run, step, score) : run.Scores[score]));
            (double Step, double Mean, double Half)[] points =
                [.. steps.Select(step => ((double)step, 100 * Over(step).Mean, 100 * Over(step).HalfWidth()))];

            // A single run has no interval.
            return new PlotSeries(
                row.Title,
                [.. points.Select(p => (p.Step, p.Mean))],
                [.. points.Where(p => !double.IsNaN(p.Half)).Select(p => (p.Step, p.Mean - p.Half, p.Mean + p.Half))]);
        }

        return [.. rows.Where(row => row.Runs.Length > 0).Select(Series)];
    }

    /// <summary>The first and the last trained row step by step, and their differences with 95 % intervals.</summary>
    /// <param name="rows">At least two trained rows.</param>
    /// <param name="repeats">What a pair is called, in the plural: "seeds".</param>
    internal static AblationTable Table(IReadOnlyList<LedgerRow> rows, string repeats)
    {
        LedgerRow[] trained = Trained(rows);
        LedgerRow first = trained[0], last = trained[^1];
        string Mean(LedgerRow row, long step) => SampleStatistics.Of(row.Runs.Select(run => At(run, step, LedgerScores.Unseen))).Text();
        return new AblationTable(
            $"Learning curves: {last.Title} against {first.Title} "
                + "(percent, mean ± standard deviation; differences in points with the 95 % interval of their mean, paired)",
            ["steps", $"mIoU(U), {first.Title}", $"mIoU(U), {last.Title}", .. Compared.Select(score => $"difference, {Header(score)}"), repeats],
            [
                .. Steps(rows).Select(step => (IReadOnlyList<string>)
                [
                    $"{step}", Mean(first, step), Mean(last, step),
                    .. Compared.Select(score => Claims.PointsText(Claims.Differences(last, first, run => At(run, step, score)))),
                    $"{Claims.Differences(last, first, _ => 0).Length}",
                ]),
            ]);
    }

    /// <summary>Who is ahead after which steps, a sentence a score.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="pair">What a pair is called: "seed" or "run".</param>
    internal static IReadOnlyList<string> Sentences(IReadOnlyList<LedgerRow> rows, string pair)
    {
        LedgerRow[] trained = Trained(rows);
        long[] steps = Steps(rows);
        if (trained.Length < 2 || steps.Length == 0)
        {
            return [];
        }

        LedgerRow first = trained[0], last = trained[^1];
        int n = Claims.Differences(last, first, _ => 0).Length;
        if (n < 2)
        {
            return [$"{last.Title} against {first.Title}: {n} {pair}; nothing may be said of others."];
        }

        return [.. Compared.Select(score => Sentence(first, last, steps, score, $"{n} {pair}s"))];
    }

    private static string Sentence(LedgerRow first, LedgerRow last, long[] steps, string score, string pairs)
    {
        var parts = new List<(string Verdict, List<long> Steps)>();
        foreach (long step in steps)
        {
            string verdict = PairedTTest.Of(Claims.Differences(last, first, run => At(run, step, score))) is { } test
                ? Claims.Verdict(test, last.Title, first.Title)
                : "nothing can be said";
            if (parts.Count == 0 || parts[^1].Verdict != verdict)
            {
                parts.Add((verdict, []));
            }

            parts[^1].Steps.Add(step);
        }

        return $"{Header(score)}: {string.Join("; ", parts.Select(part => $"after {List(part.Steps)} steps {part.Verdict}"))} "
            + $"(95 % intervals of the paired differences, {pairs}; each step for itself).";
    }

    private static string List(List<long> steps) => steps.Count == 1 ? $"{steps[0]}" : $"{string.Join(", ", steps[..^1])} and {steps[^1]}";

    private static double At(LedgerRun run, long step, string score) => run.Curve!.First(point => point.Step == step).Scores[score];

    private static LedgerRow[] Trained(IReadOnlyList<LedgerRow> rows) => [.. rows.Where(row => row.Trained && row.Runs.Length > 0)];

    private static string Header(string score) => LedgerScores.Four.First(s => s.Name == score).Header;
}
