using System.Globalization;
using System.Runtime.InteropServices;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Reports;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>report.html of a comparison: tables, plots, pictures side by side, the windows of route attention.</summary>
internal static class AblationReport
{
    /// <summary>Writes it.</summary>
    /// <param name="folder">The comparison's folder.</param>
    /// <param name="results">What was measured.</param>
    /// <param name="validation">What was scored.</param>
    /// <param name="clip">The pretrained CLIP.</param>
    /// <param name="device">Where it was computed.</param>
    /// <param name="command">The command line that measures it again.</param>
    /// <param name="spent">Time of this call.</param>
    internal static void Write(
        AblationFolder folder, AblationResults results, SegmentationDataset validation, string clip, Device device, string command, TimeSpan spent)
    {
        LdvcConfig config = results.Config;
        string first = results.Plan.Splits.Count > 1 ? $" in the first of {results.Plan.Splits.Count} splits" : "";
        var report = new HtmlReport(
            "LDVC compared",
            $"{ConfigWriter.EnumName(config.Train.Setting)} setting, {validation.Name}: {validation.Split.Seen.Length} seen and "
                + $"{validation.Split.Unseen.Length} unseen classes{first}");
        AddCards(report, results);
        foreach (AblationTable table in AblationTables.All(results))
        {
            report.AddTable(table.Caption, table.Headers, table.Rows);
        }

        IReadOnlyList<string> sentences = AblationTables.Sentences(results);
        if (sentences.Count > 0)
        {
            report.AddHeading("What may be said of these runs");
            foreach (string sentence in sentences)
            {
                report.AddParagraph(sentence);
            }
        }

        AddPlots(report, folder, results);
        AblationPictures.Add(report, folder, results, validation, clip, device);
        report
            .AddHowMade(
                ("command", command),
                ("training", $"{results.Plan.Runs.Count} runs of {config.Train.Steps} steps of {config.Train.Batch} pictures; this call took "
                    + $"{TimeText.Span(spent.TotalSeconds)}"),
                ("scores", "last checkpoint of every run; ± gives the sample standard deviation over " + results.Plan.Repeats),
                ("device", device.Name),
                ("machine", $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, .NET {Environment.Version}"))
            .Save(folder.ReportPath);
    }

    // The claim in three numbers: last row against first row.
    private static void AddCards(HtmlReport report, AblationResults results)
    {
        if (results.Plan.Rows.Count < 2)
        {
            return;
        }

        AblationVariant first = results.Plan.Rows[0], last = results.Plan.Rows[^1];
        ReportCard Card(string label, Func<RunResult, double> number, bool main = false)
        {
            SampleStatistics gain = results.Difference(last, first, number);
            string interval = results.Test(last, first, number) is { } test
                ? $", 95 % interval {Claims.Points(test.Low)} to {Claims.Points(test.High)}"
                : "";
            return new ReportCard(
                $"{label}, {last.Title} minus {first.Title}",
                Claims.Points(gain.Mean),
                $"{results.Over(last, number).Text()} against {results.Over(first, number).Text()}, "
                    + $"{gain.Count} {results.Plan.Pair}{(gain.Count == 1 ? "" : "s")}{interval}",
                main);
        }

        report.AddCards(Card("mIoU(U)", r => r.Scores.Unseen, main: true), Card("mIoU(S)", r => r.Scores.Seen), Card("hIoU", r => r.Scores.Harmonic));
    }

    private static void AddPlots(HtmlReport report, AblationFolder folder, AblationResults results)
    {
        AblationPlan plan = results.Plan;
        if (plan.Rows.Count > 0)
        {
            report.AddHeading("Training");
            report.AddLinePlot(
                "Training loss (100 focal + 1 dice unless configured otherwise), first run", "step", "loss", true,
                [.. plan.Rows.Select(row => new PlotSeries(row.Title,
                    RunMetrics.Read(folder.RunPath(plan.Runs.First(run => run.Variant.Key == row.Key), results.Config.Train.Setting), "loss")))]);
        }

        LedgerRow[] rows = AblationRecord.Rows(results);
        if (LearningCurves.Steps(rows).Length > 1)
        {
            foreach (var (score, name) in new[] { (LedgerScores.Unseen, "mIoU(U)"), (LedgerScores.Harmonic, "hIoU") })
            {
                string caption = $"Learning curve: {name}, mean and 95 % interval over {plan.Repeats}";
                report.AddLinePlot(caption, "step", $"{name}, percent", false, LearningCurves.Plot(rows, score));
            }
        }

        foreach (var sweep in plan.Sweeps.Where(v => v.Sweep is not "heads").GroupBy(v => v.Sweep!).Where(s => s.Count() > 1))
        {
            PlotSeries Series(string name, Func<ScoreLine, double> number) => new(
                name,
                [.. sweep.Select(v => (double.Parse(v.Value, CultureInfo.InvariantCulture), 100 * results.Over(v, r => number(r.Scores)).Mean))
                    .OrderBy(p => p.Item1)]);
            report.AddLinePlot(
                $"Sweep over {sweep.Key}",
                sweep.Key,
                "percent",
                false,
                [Series("mIoU(U)", s => s.Unseen), Series("mIoU(S)", s => s.Seen), Series("hIoU", s => s.Harmonic)]);
        }

        if (plan.Penalties.Count > 1)
        {
            report.AddLinePlot(
                "hIoU over the seen penalty (no training involved)", "seen penalty", "hIoU, percent", false,
                [.. plan.Rows.Select(row => new PlotSeries(row.Title, Curve(results, row)))]);
        }
    }

    private static (double X, double Y)[] Curve(AblationResults results, AblationVariant row) =>
    [
        .. results.Plan.Penalties
            .Select(
                (penalty, i) => (penalty, 100 * results.Over(row, r => i < r.Penalties.Length ? r.Penalties[i].Scores.Harmonic : double.NaN).Mean))
            .OrderBy(p => p.penalty),
    ];
}
