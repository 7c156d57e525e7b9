using Ldvc.Configuration;

namespace Ldvc.Lab.Ablation;

/// <summary>What has been measured so far: complete at the end, a part of it while the comparison runs.</summary>
internal sealed class AblationResults(AblationPlan plan, LdvcConfig config)
{
    private readonly Dictionary<string, SortedDictionary<(int Split, long Seed), RunResult>> _runs = [];

    internal AblationPlan Plan { get; } = plan;

    internal LdvcConfig Config { get; } = config;

    /// <summary>Costs by variant key.</summary>
    internal Dictionary<string, VariantCost> Costs { get; } = [];

    /// <summary>Runs that are done.</summary>
    internal int Count => _runs.Values.Sum(runs => runs.Count);

    /// <summary>Adds a run's result.</summary>
    internal void Add(PlannedRun run, RunResult result)
    {
        if (!_runs.TryGetValue(run.Variant.Key, out var runs))
        {
            _runs.Add(run.Variant.Key, runs = []);
        }

        runs[(run.Split?.Index ?? 0, run.Seed)] = result;
    }

    /// <summary>A run's result; null when it is not done.</summary>
    internal RunResult? Find(PlannedRun run) =>
        _runs.TryGetValue(run.Variant.Key, out var runs) ? runs.GetValueOrDefault((run.Split?.Index ?? 0, run.Seed)) : null;

    /// <summary>A variant's results, by split and seed.</summary>
    internal IReadOnlyCollection<RunResult> Of(AblationVariant variant) => _runs.TryGetValue(variant.Key, out var runs) ? runs.Values : [];

    /// <summary>A number over a variant's runs.</summary>
    internal SampleStatistics Over(AblationVariant variant, Func<RunResult, double> number) => SampleStatistics.Of(Of(variant).Select(number));

    /// <summary>
    /// How much better one variant is than another, between runs of the same split and seed: the standard deviation is that of the differences.
    /// </summary>
    internal SampleStatistics Difference(AblationVariant better, AblationVariant worse, Func<RunResult, double> number) =>
        SampleStatistics.Of(Differences(better, worse, number));

    /// <summary>The paired t-test on the same differences; null where there are fewer than two.</summary>
    internal PairedTTest? Test(AblationVariant better, AblationVariant worse, Func<RunResult, double> number) =>
        PairedTTest.Of(Differences(better, worse, number));

    private IEnumerable<double> Differences(AblationVariant better, AblationVariant worse, Func<RunResult, double> number)
    {
        var other = Of(worse).ToDictionary(r => (r.Split, r.Seed));
        return Of(better).Where(r => other.ContainsKey((r.Split, r.Seed))).Select(r => number(r) - number(other[(r.Split, r.Seed)]));
    }
}
