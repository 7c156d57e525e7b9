using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Tensors;

namespace Ldvc.Lab.Evidence;

/// <summary>What one evaluation puts into the ledger.</summary>
internal static class EvaluationRecord
{
    /// <summary>The entry.</summary>
    /// <param name="command">Its command line.</param>
    /// <param name="config">Data and inference.</param>
    /// <param name="device">Where it was computed.</param>
    /// <param name="pictures">Pictures that were scored.</param>
    /// <param name="scores">Their scores.</param>
    /// <param name="row">What was scored; its run is put in.</param>
    /// <param name="seed">Seed of the training.</param>
    /// <param name="steps">Steps of the training; 0 where there was none.</param>
    internal static LedgerEntry Entry(
        string command, LdvcConfig config, Device device, int pictures, Scores scores, LedgerRow row, long seed, long steps) => new()
        {
            Kind = LedgerKind.Eval,
            Command = command,
            Recorded = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Program = Origin.Here,
            Device = device.Name,
            Precision = ConfigWriter.EnumName(device.Precision),
            Threads = device is CpuDevice cpu ? cpu.ThreadCount : 0,
            Seeds = row.Trained ? [seed] : [],
            Pictures = pictures,
            Configuration = Ledger.Configuration(config),
            Rows = [row with { Runs = [new LedgerRun { Seed = seed, Steps = steps, Scores = Of(scores) }] }],
        };

    /// <summary>The four scores by name.</summary>
    internal static SortedDictionary<string, double> Of(Scores scores)
    {
        var named = new SortedDictionary<string, double>(StringComparer.Ordinal);
        LedgerScores.Add(named, "", scores.PixelAccuracy, scores.Seen, scores.Unseen, scores.Harmonic);
        return named;
    }
}
