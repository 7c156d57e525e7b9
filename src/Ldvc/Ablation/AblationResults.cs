using Ldvc.Configuration;

namespace Ldvc.Ablation;

/// <summary>What has been measured so far: complete at the end, a part of it while the comparison runs.</summary>
internal sealed class AblationResults(AblationPlan plan, LdvcConfig config)
{
    private readonly Dictionary<string, SortedDictionary<long, RunResult>> _runs = [];

    internal AblationPlan Plan { get; } = plan;

    internal LdvcConfig Config { get; } = config;

    /// <summary>Costs by variant key.</summary>
    internal Dictionary<string, VariantCost> Costs { get; } = [];

    /// <summary>Runs that are done.</summary>
    internal int Count => _runs.Values.Sum(bySeed => bySeed.Count);

    /// <summary>Adds a run's result.</summary>
    internal void Add(PlannedRun run, RunResult result)
    {
        if (!_runs.TryGetValue(run.Variant.Key, out var bySeed))
        {
            _runs.Add(run.Variant.Key, bySeed = []);
        }

        bySeed[run.Seed] = result;
    }

    /// <summary>A variant's results, by seed.</summary>
    internal IReadOnlyCollection<RunResult> Of(AblationVariant variant) => _runs.TryGetValue(variant.Key, out var bySeed) ? bySeed.Values : [];

    /// <summary>A number over a variant's seeds.</summary>
    internal Spread Over(AblationVariant variant, Func<RunResult, double> number) => Spread.Of(Of(variant).Select(number));

    /// <summary>How much better one variant is than another, seed by seed: the deviation is that of the differences.</summary>
    internal Spread Difference(AblationVariant better, AblationVariant worse, Func<RunResult, double> number)
    {
        var other = Of(worse).ToDictionary(r => r.Seed);
        return Spread.Of(Of(better).Where(r => other.ContainsKey(r.Seed)).Select(r => number(r) - number(other[r.Seed])));
    }
}
