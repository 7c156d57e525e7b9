using System.Globalization;
using Ldvc.Lab.Evidence;

namespace Ldvc.Bench.Compare;

/// <summary>What a comparison with other libraries puts into the ledger.</summary>
internal static class PeerRecord
{
    /// <summary>The entry: every engine that was timed.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="engines">The engines, with their versions.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="here">The folder of the command line.</param>
    /// <param name="spent">Time of everything.</param>
    internal static LedgerEntry Entry(
        IReadOnlyList<PeerResult> results, IReadOnlyList<PeerEngine> engines, PeerOptions options, string here, TimeSpan spent) => new()
        {
            Kind = LedgerKind.Peers,
            Command = CommandText.Of("dotnet run -c Release --project bench --", options.Arguments, here),
            Recorded = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Program = Origin.Here,
            Device = options.On.Name,
            Precision = options.On.Precision.ToString().ToLowerInvariant(),
            Threads = options.On.Threads,
            Seconds = spent.TotalSeconds,
            Timings =
        [
            .. results.Where(r => r.Missing is null).Select(r => new LedgerTiming(
                r.Case,
                r.Engine,
                engines.First(e => e.Name == r.Engine).Version,
                r.MedianSeconds,
                r.LowSeconds,
                r.HighSeconds,
                r.PeakMebibytes,
                r.AddedMebibytes,
                r.OursToThis,
                r.Error)),
        ],
        };
}
