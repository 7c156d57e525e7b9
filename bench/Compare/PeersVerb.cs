using System.Text.Json;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare;

/// <summary>`bench peers`: Ldvc against the libraries people use, in one run, with goals.</summary>
internal static class PeersVerb
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    internal static int Run(PeerOptions options)
    {
        var cases = PeerCases.All.Where(c => options.Filters.Count == 0 || options.Filters.Any(f => c.Name.Contains(f, StringComparison.Ordinal))).ToList();
        if (cases.Count == 0)
        {
            throw new InputException($"--filter {string.Join(",", options.Filters)}: no such case; there are {string.Join(", ", PeerCases.All.Select(c => c.Name))}");
        }

        var engines = PeerEngine.Find(options.On);
        double peak = options.On.Name == "cpu" ? FmaPeak.Measure(options.On.Threads) : 0;
        Console.WriteLine(peak > 0
            ? $"{options.On.Threads} threads, {SimdLevel.Bits}-bit vectors, FMA peak {peak:F0} GFLOP/s"
            : $"{options.On.Name} in {options.On.Precision.ToString().ToLowerInvariant()}; memory is what tensors take on the device");
        foreach (var engine in engines.Where(e => cases.Any(c => c.Engines.Contains(e.Name))))
        {
            Console.WriteLine(engine.Missing is null ? $"{engine.Name}: {engine.Version}" : $"{engine.Name}: missing; {engine.Missing}");
        }

        var results = new List<PeerResult>();
        var goals = new List<GoalResult>();
        foreach (var @case in cases)
        {
            string folder = Directory.CreateTempSubdirectory("ldvc-peers-").FullName;
            try
            {
                var run = new CaseRun(@case, engines, options);
                var rows = run.Run(folder);
                results.AddRange(rows);
                goals.AddRange(run.Goals(rows));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        PeerTable.Print(results, goals, peak);
        if (options.Json is not null)
        {
            var document = new { Device = options.On.Name, Precision = options.On.Precision.ToString().ToLowerInvariant(), options.On.Threads, SimdBits = SimdLevel.Bits, PeakGigaFlops = peak, Rounds = options.Rounds, Results = results, Goals = goals };
            File.WriteAllText(options.Json, JsonSerializer.Serialize(document, Indented));
        }

        return results.Any(r => r.Missing is not null && r.Error > 0) ? 1 : 0;
    }
}
