using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;

namespace Ldvc.Lab.Demo;

/// <summary>What the demo puts into the ledger.</summary>
internal static class DemoRecord
{
    /// <summary>The entry: a row a method, and the difference of the two that were trained.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="config">With which configuration.</param>
    /// <param name="command">The command line.</param>
    /// <param name="device">Where it was computed.</param>
    internal static LedgerEntry Entry(DemoResult result, LdvcConfig config, string command, Device device)
    {
        LedgerRow Row(string key, MethodResult method, ScoreIntervals intervals, bool trained) => new(key, method.Name, trained,
        [
            Run(config, intervals, trained ? result.Steps : 0) with { TrainSeconds = method.TrainSeconds, Scores = Scores(method) },
        ]);
        return new LedgerEntry
        {
            Kind = LedgerKind.Demo,
            Command = command,
            Recorded = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Program = Origin.Here,
            Device = device.Name,
            Precision = ConfigWriter.EnumName(device.Precision),
            Threads = device is CpuDevice cpu ? cpu.ThreadCount : 0,
            Seeds = [config.Train.Seed],
            Seconds = result.TotalSeconds,
            Pictures = result.Ldvc.Pictures.Count,
            Configuration = Ledger.Configuration(config with { Clip = config.Clip with { Path = $"{DemoAssets.Folder}/{DemoAssets.Clip}" } }),
            Rows =
            [
                Row("training-free", result.TrainingFree, result.TrainingFreeIntervals, trained: false),
                Row("zegclip", result.Baseline, result.BaselineIntervals, trained: true),
                Row("ldvc", result.Ldvc, result.LdvcIntervals, trained: true),
                new LedgerRow(LedgerRowKeys.Gain, $"{result.Ldvc.Name} minus {result.Baseline.Name}", false, [Run(config, result.Gain, 0)]),
            ],
        };
    }

    private static LedgerRun Run(LdvcConfig config, ScoreIntervals intervals, long steps)
    {
        Interval[] four = [intervals.PixelAccuracy, intervals.Seen, intervals.Unseen, intervals.Harmonic];
        var scores = new SortedDictionary<string, double>(StringComparer.Ordinal);
        LedgerScores.Add(scores, "", [.. four.Select(i => i.Value)]);
        var ends = new SortedDictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var (score, interval) in LedgerScores.Four.Zip(four))
        {
            ends.Add(score.Name, [interval.Low, interval.High]);
        }

        return new LedgerRun { Seed = config.Train.Seed, Steps = steps, Scores = scores, Intervals = ends };
    }

    private static SortedDictionary<string, double> Scores(MethodResult method)
    {
        SortedDictionary<string, double> scores = EvaluationRecord.Of(method.Scores);
        foreach (var (prefix, line) in new[] { (LedgerScores.NoPenalty, method.WithoutPenalty), (LedgerScores.Shuffled, method.Shuffled) })
        {
            LedgerScores.Add(scores, prefix, line.PixelAccuracy, line.Seen, line.Unseen, line.Harmonic);
        }

        return scores;
    }
}
