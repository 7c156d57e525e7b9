using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;

namespace Ldvc.Lab.Ablation;

/// <summary>What a comparison puts into the ledger.</summary>
internal static class AblationRecord
{
    /// <summary>The comparison's rows with what was measured so far; sweeps are not among them.</summary>
    internal static LedgerRow[] Rows(AblationResults results) =>
    [
        .. results.Plan.ScoredRows.Select(row => new LedgerRow(
            row.Key, row.Title, row.Key != results.Plan.TrainingFree?.Key, [.. results.Of(row).Select(run => Run(run, row.Config.Train.Batch))])),
    ];

    /// <summary>The entry.</summary>
    /// <param name="results">A comparison that is done.</param>
    /// <param name="command">Its command line.</param>
    /// <param name="device">Where it was computed.</param>
    /// <param name="checkedSteps">First steps that were trained again.</param>
    internal static LedgerEntry Entry(AblationResults results, string command, Device device, int checkedSteps)
    {
        LedgerRow[] rows = Rows(results);
        Origin here = Origin.Here;
        return new LedgerEntry
        {
            Kind = LedgerKind.Ablate,
            Command = command,
            Recorded = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Program = here,
            MeasuredBy = [.. Origins(results).Where(origin => origin != here)],
            CheckedSteps = checkedSteps,
            Device = device.Name,
            Precision = ConfigWriter.EnumName(results.Config.Train.Precision),
            Threads = device is CpuDevice cpu ? cpu.ThreadCount : 0,
            Seeds = [.. rows.Where(row => row.Trained).SelectMany(row => row.Runs).Select(run => run.Seed).Distinct().Order()],
            Seconds = rows.SelectMany(row => row.Runs).Sum(run => run.TrainSeconds),
            Pictures = results.Plan.ScoredRows.SelectMany(results.Of).Select(run => run.Pictures).DefaultIfEmpty().Max(),
            Configuration = Ledger.Configuration(results.Config),
            Rows = rows,
        };
    }

    /// <summary>The programs that measured the rows' runs, where the runs say so.</summary>
    internal static IEnumerable<Origin> Origins(AblationResults results) =>
        results.Plan.ScoredRows.SelectMany(results.Of).SelectMany(Origins).Distinct();

    /// <summary>The programs that trained and scored a run, where it says so.</summary>
    internal static IEnumerable<Origin> Origins(RunResult run) => [.. run.TrainedBy ?? [], .. run.Origin is { } scored ? new[] { scored } : []];

    private static LedgerRun Run(RunResult run, int batch)
    {
        var scores = new SortedDictionary<string, double>(StringComparer.Ordinal)
        {
            [LedgerScores.Pieces] = run.PiecesPerObject,
            [LedgerScores.LargePieces] = run.LargePiecesPerObject,
            [LedgerScores.RightPieces] = run.RightPiecesPerFound,
        };
        Add(scores, "", run.Scores);
        Add(scores, LedgerScores.NoPenalty, run.NoPenalty);
        Add(scores, LedgerScores.Shuffled, run.Shuffled);
        return new LedgerRun
        {
            Seed = run.Seed,
            Split = run.Split,
            Steps = run.Steps,
            TrainSeconds = run.TrainImagesPerSecond > 0 ? run.Steps * batch / run.TrainImagesPerSecond : 0,
            Scores = scores,
            Curve = run.Curve is null ? null : [.. run.Curve.Select(Point)],
        };
    }

    private static LedgerPoint Point(CurveScore point)
    {
        var scores = new SortedDictionary<string, double>(StringComparer.Ordinal);
        Add(scores, "", point.Scores);
        return new LedgerPoint(point.Step, scores);
    }

    private static void Add(SortedDictionary<string, double> into, string prefix, ScoreLine line) =>
        LedgerScores.Add(into, prefix, line.PixelAccuracy, line.Seen, line.Unseen, line.Harmonic);
}
