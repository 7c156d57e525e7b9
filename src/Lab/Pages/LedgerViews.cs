using System.Globalization;
using Ldvc.Lab.Ablation;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Reports;

namespace Ldvc.Lab.Pages;

/// <summary>
/// All views. The same entry gives the same bytes: numbers are rounded once, nothing depends on the day, the machine or the language.
/// </summary>
internal static class LedgerViews
{
    /// <summary>The views.</summary>
    internal static readonly LedgerView[] All =
    [
        new("scores", [LedgerKind.Ablate, LedgerKind.Demo, LedgerKind.Eval], input => Scores(input, whole: true)),
        new("summary", [LedgerKind.Ablate, LedgerKind.Demo, LedgerKind.Eval], input => Scores(input, whole: false)),
        new("gain", [LedgerKind.Ablate], input => Gain(input, overFirst: true)),
        new("steps", [LedgerKind.Ablate], input => Gain(input, overFirst: false)),
        new("claims", [LedgerKind.Ablate], Sentences),
        new("curve", [LedgerKind.Ablate], Curve),
        new("speed", [LedgerKind.Peers], input => SpeedTable.Render(input, SpeedTable.Short)),
        new("speed-all", [LedgerKind.Peers], input => SpeedTable.Render(input, null)),
        new("source", [.. Enum.GetValues<LedgerKind>()], input => ViewText.Of(PageBlocks.Wrap(Source(input)))),
    ];

    /// <summary>How an entry's numbers were measured, in one sentence.</summary>
    internal static string Source(ViewInput input)
    {
        LedgerEntry entry = input.Entry;
        string commits = string.Join(", ", entry.Origins.Select(origin => origin.ProgramText).Distinct());
        string machines = string.Join(
            " and ", entry.Origins.Select(origin => $"{origin.Machine.Processor}, {origin.Machine.Cores} cores").Distinct());
        string file = $"results/{input.Name}.json";
        string where = entry.Device == "cpu" ? $"{entry.Origins[0].VectorBits}-bit vectors" : $"{entry.Device}, {entry.Precision}";
        var facts = new List<string> { $"`{entry.Command}`", commits, $"{machines}, {where}" };
        if (entry.Seeds.Length > 0)
        {
            facts.Add($"{entry.Seeds.Length} {(entry.Seeds.Length == 1 ? "seed" : "seeds")}");
        }

        // Of a command that takes minutes the time says how busy the machine was; it stands in the file.
        if (entry.Seconds > 0 && entry.Kind == LedgerKind.Ablate)
        {
            facts.Add($"{Hours(entry.Seconds)} of training");
        }

        return $"[{file}]({input.Up}{file}): {string.Join("; ", facts)}.";
    }

    /// <summary>A table in Markdown; the first column is text.</summary>
    internal static IEnumerable<string> Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        static string Line(IEnumerable<string> cells) =>
            $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |";
        yield return Line(headers);
        yield return Line(headers.Select((_, i) => i == 0 ? "---" : "---:"));
        foreach (IReadOnlyList<string> row in rows)
        {
            yield return Line(row);
        }
    }

    private static ViewText Scores(ViewInput input, bool whole)
    {
        LedgerEntry entry = input.Entry;
        (string Name, string Header)[] scores = whole ? LedgerScores.Four : LedgerScores.Four[1..];
        bool seeds = entry.Kind == LedgerKind.Ablate, pieces = whole && seeds;
        LedgerRow[] shown = [.. entry.Rows.Where(row => row.Runs.Length > 0)];
        var rows = shown.Select(row => (IReadOnlyList<string>)
        [
            row.Title,
            .. scores.Select(score => Cell(row, score.Name)),
            .. pieces
                ? [Over(row, LedgerScores.Shuffled + LedgerScores.Unseen, 100, "F1"), Over(row, LedgerScores.Pieces, 1, "F2")]
                : Array.Empty<string>(),
            .. seeds ? [row.Trained ? $"{row.Runs.Length}" : "-"] : Array.Empty<string>(),
        ]).ToList();
        LedgerRow[] trained = [.. shown.Where(row => row.Trained)];
        if (!whole && seeds && trained.Length > 1)
        {
            rows.Add(Differences(trained[^1], trained[0], scores.Select(score => score.Name)));
        }

        return ViewText.Of(
        [
            .. Table(
                [
                    "", .. scores.Select(score => score.Header),
                    .. pieces ? ["mIoU(U), names shuffled", "pieces per object"] : Array.Empty<string>(),
                    .. seeds ? [input.Pair + "s"] : Array.Empty<string>(),
                ],
                rows),
            "",
            .. PageBlocks.Wrap(Source(input)),
        ]);
    }

    // Each row over the first one, or over the one before it.
    private static ViewText Gain(ViewInput input, bool overFirst)
    {
        LedgerRow[] trained = [.. input.Entry.Rows.Where(row => row.Trained && row.Runs.Length > 0)];
        return ViewText.Of(Table(
            ["points, mean (95 % interval of the mean)", .. LedgerScores.Four.Select(score => score.Header), input.Pair + "s"],
            trained.Skip(1).Select((row, i) => Differences(row, trained[overFirst ? 0 : i], LedgerScores.Four.Select(score => score.Name)))));
    }

    private static IReadOnlyList<string> Differences(LedgerRow row, LedgerRow first, IEnumerable<string> scores) =>
    [
        $"{row.Title} minus {first.Title}",
        .. scores.Select(score => Claims.PointsText(Claims.Differences(row, first, run => run.Scores[score]))),
        $"{Claims.Differences(row, first, _ => 0).Length}",
    ];

    private static ViewText Sentences(ViewInput input) => ViewText.Of(
        Claims.All(input.Entry.Rows, input.Pair)
            .Concat(LearningCurves.Sentences(input.Entry.Rows, input.Pair))
            .SelectMany(sentence => PageBlocks.Wrap("- " + sentence, "  ")));

    private static ViewText Curve(ViewInput input)
    {
        LedgerRow[] rows = input.Entry.Rows;
        string picture = $"docs/images/curve-{input.Name}.svg", shown = input.Up.Length == 0 ? picture : $"images/curve-{input.Name}.svg";
        AblationTable table = LearningCurves.Table(rows, input.Pair + "s");
        string[] lines =
        [
            $"![mIoU(U) over the steps of training, mean and 95 % interval over {input.Entry.Seeds.Length} seeds]({shown})",
            "",
            .. Table(table.Headers, table.Rows),
            "",
            .. LearningCurves.Sentences(rows, input.Pair).SelectMany(sentence => PageBlocks.Wrap("- " + sentence, "  ")),
            "",
            .. PageBlocks.Wrap(Source(input)),
        ];
        return new ViewText(lines, [(picture, PlotFile.Render("step", "mIoU(U), percent", LearningCurves.Plot(rows, LedgerScores.Unseen)))]);
    }

    // With its interval where there is one, else mean and standard deviation over runs.
    private static string Cell(LedgerRow row, string score)
    {
        if (row.Runs is not [{ Intervals: { } intervals } run] || !intervals.TryGetValue(score, out double[]? ends))
        {
            return Over(row, score, 100, "F1");
        }

        Func<double, string> text = row.Key == LedgerRowKeys.Gain ? Claims.Points : share => new SampleStatistics(share, double.NaN, 1).Text();
        return $"{text(run.Scores[score])} ({text(ends[0])} to {text(ends[1])})";
    }

    private static string Over(LedgerRow row, string score, double factor, string format) =>
        SampleStatistics.Of(row.Runs.Select(run => run.Scores.GetValueOrDefault(score, double.NaN))).Text(factor, format);

    private static string Hours(double seconds) => seconds switch
    {
        < 100 => $"{seconds.ToString("F0", CultureInfo.InvariantCulture)} s",
        < 6000 => $"{(seconds / 60).ToString("F0", CultureInfo.InvariantCulture)} min",
        _ => $"{(seconds / 3600).ToString("F1", CultureInfo.InvariantCulture)} h",
    };
}
