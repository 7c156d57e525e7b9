using System.Globalization;
using Ldvc.Configuration;

namespace Ldvc.Lab.Ablation;

/// <summary>A table for people.</summary>
internal sealed record AblationTable(string Caption, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>
/// The tables of a comparison, the same for Markdown and HTML: percent, mean ± sample standard deviation over seeds, or over splits and seeds.
/// </summary>
internal static class AblationTables
{
    private static readonly string[] ScoreHeaders = ["pAcc", "mIoU(S)", "mIoU(U)", "hIoU"];

    private const string NoSeeds = "-";

    private static readonly Func<ScoreLine, double>[] ScoreNumbers = [s => s.PixelAccuracy, s => s.Seen, s => s.Unseen, s => s.Harmonic];

    /// <summary>"pAcc 94.6  mIoU(S) 91.9 ..." of one run.</summary>
    internal static string Line(RunResult result)
    {
        string Percent(double share) => new SampleStatistics(share, double.NaN, 1).Text();
        ScoreLine s = result.Scores;
        return $"pAcc {Percent(s.PixelAccuracy)}  mIoU(S) {Percent(s.Seen)}  mIoU(U) {Percent(s.Unseen)}  hIoU {Percent(s.Harmonic)}  shuffled "
            + $"mIoU(U) {Percent(result.Shuffled.Unseen)}  "
            + $"pieces per object {result.PiecesPerObject.ToString("F2", CultureInfo.InvariantCulture)}";
    }

    /// <summary>All tables that have something in them.</summary>
    internal static IReadOnlyList<AblationTable> All(AblationResults results)
    {
        IReadOnlyList<AblationVariant> rows = [.. results.Plan.Rows.Where(v => results.Of(v).Count > 0)];
        IReadOnlyList<AblationVariant> scored = [.. results.Plan.ScoredRows.Where(v => results.Of(v).Count > 0)];
        var tables = new List<AblationTable>();
        if (scored.Count > 0)
        {
            bool penalised = results.Config.Train.Setting == TrainSetting.Inductive;
            string penalty = penalised ? $", seen penalty {ConfigText.Number(results.Config.Eval.SeenPenalty)}" : "";
            tables.Add(Scores(results, scored, $"Scores{penalty} (percent, mean ± standard deviation over {results.Plan.Repeats})", r => r.Scores));
            if (penalised)
            {
                tables.Add(Scores(results, scored, "The same models without the seen penalty", r => r.NoPenalty));
            }

            tables.Add(Scores(results, scored, $"Control: class embeddings shuffled{penalty}", r => r.Shuffled));
            if (penalised)
            {
                tables.Add(Scores(results, scored, "Control: class embeddings shuffled, no seen penalty", r => r.ShuffledNoPenalty));
            }

            if (rows.Count > 1)
            {
                tables.Add(Differences(results, rows));
                AblationTable tests = Tests(results, rows);
                if (tests.Rows.Count > 0)
                {
                    tables.Add(tests);
                }

                if (AblationRecord.Rows(results) is var recorded && LearningCurves.Steps(recorded).Length > 0)
                {
                    tables.Add(LearningCurves.Table(recorded, Pairs(results)));
                }
            }

            if (results.Plan.Splits.Count > 1)
            {
                tables.Add(BySplit(results, scored));
            }

            tables.Add(Fragments(results, scored));
        }

        tables.AddRange(results.Plan.Sweeps.Where(v => results.Of(v).Count > 0).GroupBy(v => v.Sweep!).Select(sweep => Scores(
            results, [.. sweep], $"Sweep over {sweep.Key}, row ldvc otherwise", r => r.Scores)));
        tables.AddRange(rows.Where(_ => results.Plan.Penalties.Count > 0).Select(row => Penalties(results, row)));
        if (results.Costs.Count > 0)
        {
            tables.Add(Costs(results));
        }

        return tables;
    }

    private static AblationTable Scores(
        AblationResults results, IReadOnlyList<AblationVariant> variants, string caption, Func<RunResult, ScoreLine> line) => new(
        caption,
        ["", .. ScoreHeaders, Pairs(results)],
        [.. variants.Select(v => (IReadOnlyList<string>)[v.Title, .. Cells(number => results.Over(v, r => number(line(r)))),
            Repeats(results, v)])]);

    private static AblationTable Differences(AblationResults results, IReadOnlyList<AblationVariant> rows) => new(
        $"Gain over {rows[0].Title}, paired by {(results.Plan.Splits.Count > 0 ? "split and seed" : "seed")} (points; the standard deviation is that "
            + "of the differences)",
        ["", .. ScoreHeaders, Pairs(results)],
        [
            .. rows.Skip(1).Select(v => (IReadOnlyList<string>)
            [
                v.Title,
                .. Cells(number => results.Difference(v, rows[0], r => number(r.Scores))),
                Number(results.Difference(v, rows[0], _ => 0).Count),
            ]),
        ]);

    private static AblationTable Tests(AblationResults results, IReadOnlyList<AblationVariant> rows)
    {
        IEnumerable<IReadOnlyList<string>> Lines(AblationVariant row)
        {
            for (int score = 0; score < ScoreHeaders.Length; score++)
            {
                Func<ScoreLine, double> number = ScoreNumbers[score];
                if (results.Test(row, rows[0], r => number(r.Scores)) is { } test)
                {
                    yield return
                    [
                        row.Title,
                        ScoreHeaders[score],
                        Number(100 * test.Difference.Mean, "F2"),
                        Number(100 * test.Difference.StandardDeviation, "F2"),
                        $"{Number(100 * test.Low, "F2")} to {Number(100 * test.High, "F2")}",
                        Defined(test.T, "F2"),
                        Defined(test.P, "F3"),
                        Number(test.Difference.Count),
                    ];
                }
            }
        }

        return new AblationTable(
            $"Paired t-test of the gain over {rows[0].Title} (points; p two-sided)",
            ["", "score", "mean", "standard deviation", "95 % interval", "t", "p", "n"],
            [.. rows.Skip(1).SelectMany(Lines)]);
    }

    private static AblationTable BySplit(AblationResults results, IReadOnlyList<AblationVariant> rows) => new(
        "Split by split",
        ["", "split", .. ScoreHeaders, "seeds"],
        [
            .. from split in results.Plan.Splits
               from row in rows
               let runs = results.Of(row).Where(r => r.Split == split.Name).ToArray()
               where runs.Length > 0
               select (IReadOnlyList<string>)[row.Title, split.Name, .. Cells(number => SampleStatistics.Of(runs.Select(r => number(r.Scores)))),
                   HasSeeds(results, row) ? Number(runs.Length) : NoSeeds],
        ]);

    private static AblationTable Fragments(AblationResults results, IReadOnlyList<AblationVariant> rows)
    {
        string Pieces(AblationVariant variant, Func<RunResult, double> number) => results.Over(variant, number).Text(1, "F2");
        return new AblationTable(
            "Fragmentation: connected regions of equal predicted class per ground-truth object (1 = in one piece)",
            ["", "pieces per object", "of at least a patch", "pieces of the right class per object found", Pairs(results)],
            [
                .. rows.Select(v => (IReadOnlyList<string>)
                [
                    v.Title,
                    Pieces(v, r => r.PiecesPerObject),
                    Pieces(v, r => r.LargePiecesPerObject),
                    Pieces(v, r => r.RightPiecesPerFound),
                    Repeats(results, v),
                ]),
            ]);
    }

    private static AblationTable Penalties(AblationResults results, AblationVariant row) => new(
        $"Sweep over the seen penalty, {row.Title}",
        ["penalty", .. ScoreHeaders, Pairs(results)],
        [
            .. results.Plan.Penalties.Select((penalty, i) => (IReadOnlyList<string>)
            [
                ConfigText.Number(penalty),
                .. Cells(number => results.Over(row, r => i < r.Penalties.Length ? number(r.Penalties[i].Scores) : double.NaN)),
                Number(results.Of(row).Count),
            ]),
        ]);

    private static AblationTable Costs(AblationResults results) => new(
        $"Cost: one window of {results.Config.Eval.Window} pixels at inference, training steps of {results.Config.Train.Batch} pictures",
        [
            "",
            "trained parameters (M)",
            "GMAC / window",
            "windows/s",
            results.Config.Ablate.Jobs > 1 ? $"training pictures/s, {results.Config.Ablate.Jobs} runs at a time" : "training pictures/s",
            "peak of a step (MiB)",
            Pairs(results),
        ],
        [
            .. results.Plan.Variants.Where(v => results.Costs.ContainsKey(v.Key)).Select(v =>
            {
                VariantCost cost = results.Costs[v.Key];
                return (IReadOnlyList<string>)
                [
                    v.Title,
                    Number(cost.Parameters / 1e6, "F3"),
                    Number(cost.MultiplyAdds / 1e9, "F3"),
                    Number(cost.WindowsPerSecond, "G3"),
                    results.Over(v, r => r.TrainImagesPerSecond).Text(1, "G3"),
                    Number(cost.TrainPeakBytes / (1024.0 * 1024.0), "F0"),
                    Number(results.Of(v).Count),
                ];
            }),
        ]);

    /// <summary>What may be said of the rows, in sentences.</summary>
    internal static IReadOnlyList<string> Sentences(AblationResults results)
    {
        IReadOnlyList<Evidence.LedgerRow> rows = AblationRecord.Rows(results);
        return [.. Claims.All(rows, results.Plan.Pair), .. LearningCurves.Sentences(rows, results.Plan.Pair)];
    }

    // What a row's runs are called.
    private static string Pairs(AblationResults results) => results.Plan.Pair + "s";

    // How many runs stand behind a row's mean. The CLIP alone has no seeds: scored once, it would look like a row of one.
    private static string Repeats(AblationResults results, AblationVariant variant) =>
        HasSeeds(results, variant) || results.Plan.Splits.Count > 1 ? Number(results.Of(variant).Count) : NoSeeds;

    private static bool HasSeeds(AblationResults results, AblationVariant variant) => variant.Key != results.Plan.TrainingFree?.Key;

    private static IEnumerable<string> Cells(Func<Func<ScoreLine, double>, SampleStatistics> over) =>
        ScoreNumbers.Select(number => over(number).Text());

    private static string Defined(double value, string format) => double.IsNaN(value) ? "-" : Number(value, format);

    private static string Number(double value, string format = "F0") => value.ToString(format, CultureInfo.InvariantCulture);
}
