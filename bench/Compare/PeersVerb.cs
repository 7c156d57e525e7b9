using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Ldvc.App.Cli;
using Ldvc.Bench.Cli;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Kernels.Simd;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare;

/// <summary>`bench peers`: Ldvc against the libraries people use, in one run, with goals.</summary>
internal static class PeersVerb
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    internal static Command Create()
    {
        Option<string?> filter = BenchParts.Filter("Only cases with one of these, separated by commas, in their name."), json = CommandParts.Json();
        Option<string?> record = CommandParts.Record();
        Option<string> rounds = BenchParts.Rounds(7);
        var command = new VerbCommand(
            "peers",
            "Against ONNX Runtime and PyTorch, each in its own process, in turn, with goals; about 15 minutes for everything on two cores. --device "
                + "cuda: against PyTorch, eager and compiled, on the same card, with 1 and 16 pictures.",
            "dotnet run -c Release --project bench -- peers --filter encoder,step-voc --rounds 4")
        {
            filter,
            rounds,
            json,
            record,
        };
        DeviceParts on = DeviceParts.AddTo(command, "cpu", "cpu | cuda.", threads: 2);
        command.SetAction(result => Run(new PeerOptions(
            OptionValue.Text(result, filter)?.Split(',') ?? [],
            BenchParts.Rounds(result, rounds),
            Checked(on.Read(result)),
            OptionValue.OutputFile(result, json),
            OptionValue.Record(result, record),
            [.. result.Tokens.Select(token => token.Value)])));
        return command;
    }

    // Peers are told the number of threads: there must be one.
    private static WorkDevice Checked(WorkDevice on) =>
        on.Name is not ("cpu" or "cuda") ? throw new InputException($"--device {on.Name}: expected cpu or cuda, where the peers compute, too")
        : on.Threads == 0 ? on with { Threads = Environment.ProcessorCount }
        : on;

    private static int Run(PeerOptions options)
    {
        var cases = PeerCases.All.Where(c => !c.CardOnly || options.On.Name != "cpu").Where(
            c => options.Filters.Count == 0 || options.Filters.Any(f => c.Name.Contains(f, StringComparison.Ordinal))).ToList();
        if (cases.Count == 0)
        {
            throw new InputException($"--filter {string.Join(",", options.Filters)}: no such case; there are "
                + $"{string.Join(", ", PeerCases.All.Select(c => c.CardOnly ? c.Name + " (cuda)" : c.Name))}");
        }

        var clock = Stopwatch.StartNew();
        var engines = PeerSearch.Find(options.On);
        double peak = options.On.Name == "cpu" ? FmaPeak.Measure(options.On.Threads) : 0;
        Console.WriteLine(peak > 0
            ? $"{options.On.Threads} threads, {SimdLevel.Bits}-bit vectors, FMA peak {peak:F0} GFLOP/s"
            : $"{options.On.Name} in {options.On.Precision.ToString().ToLowerInvariant()}; memory is what tensors take on the device");
        foreach (var engine in engines.Where(e => cases.Any(c => CaseRun.EnginesOf(c, options.On).Contains(e.Name))))
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
                PeerData.Write(@case, folder);
                var run = new CaseRun(@case, engines, options);
                var rows = run.Run(folder);
                results.AddRange(rows);
                goals.AddRange(run.Goals(rows));
                Save(options, peak, results, goals);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        PeerTable.Print(results, goals, peak);
        if (options.Record is not null)
        {
            string here = Environment.CurrentDirectory;
            LedgerEntry entry = PeerRecord.Entry(results, engines, options, here, clock.Elapsed);
            Console.WriteLine($"recorded {Ledger.Write(Ledger.FolderFor(here), options.Record, entry)}");
        }

        return results.Any(r => r.Failed) ? 1 : 0;
    }

    // After every case: what was measured is there when a limit of time ends the rest (bench/card.sh).
    private static void Save(PeerOptions options, double peak, IReadOnlyList<PeerResult> results, IReadOnlyList<GoalResult> goals)
    {
        if (options.Json is not null)
        {
            var document = new
            {
                Device = options.On.Name,
                Precision = options.On.Precision.ToString().ToLowerInvariant(),
                options.On.Threads,
                SimdBits = SimdLevel.Bits,
                PeakGigaFlops = peak,
                Rounds = options.Rounds,
                Results = results,
                Goals = goals
            };
            File.WriteAllText(options.Json, JsonSerializer.Serialize(document, Indented));
        }
    }
}
