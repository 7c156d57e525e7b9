using Ldvc.Lab.Evidence;

namespace Ldvc.Tests.Evidence;

/// <summary>Entries of the ledger with numbers that tests make up.</summary>
internal static class Entries
{
    /// <summary>A comparison of two rows and the CLIP alone. Differences in mIoU(U) are those given, in points.</summary>
    internal static LedgerEntry Comparison(params double[] differences) => new()
    {
        Kind = LedgerKind.Ablate,
        Command = "ldvc ablate configs/evidence/small.yaml --seeds 2",
        Recorded = "2026-11-29",
        Program = Origin.Here with { Commit = "0123456789abcdef", Dirty = false, Machine = new Machine("Some CPU", 2, "Linux", ".NET 10") },
        Device = "cpu",
        Precision = "fp32",
        Threads = 2,
        Seeds = [.. differences.Select((_, i) => (long)i)],
        Seconds = 7200,
        Rows =
        [
            new LedgerRow("training-free", "CLIP, no training", false, [Run(0, 0.3)]),
            new LedgerRow("zegclip", "ZegCLIP", true, [.. differences.Select((_, i) => Run(i, 0.5))]),
            new LedgerRow("ldvc", "LDVC", true, [.. differences.Select((d, i) => Run(i, 0.5 + (d / 100)))]),
        ],
    };

    /// <summary>A run of one mIoU(U); the other scores stand at round distances.</summary>
    internal static LedgerRun Run(long seed, double unseen, params double[] curve)
    {
        SortedDictionary<string, double> Scores(double u) => new(StringComparer.Ordinal)
        {
            [LedgerScores.PixelAccuracy] = u + 0.3,
            [LedgerScores.Seen] = u + 0.2,
            [LedgerScores.Unseen] = u,
            [LedgerScores.Harmonic] = u + 0.1,
            [LedgerScores.Shuffled + LedgerScores.Unseen] = 0.001,
            [LedgerScores.Pieces] = 4.25,
        };
        LedgerPoint[]? points = curve.Length == 0 ? null : [.. curve.Select((u, i) => new LedgerPoint(50 * (i + 1), Scores(u)))];
        return new LedgerRun { Seed = seed, Steps = 100, Scores = Scores(unseen), Curve = points };
    }
}
