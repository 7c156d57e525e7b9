using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;
using MathNet.Numerics.Statistics;

namespace Ldvc.Bench.Compare;

/// <summary>Runs all engines of one case in turn.</summary>
internal sealed class CaseRun(PeerCase @case, IReadOnlyList<PeerEngine> engines, PeerOptions options)
{
    // A turn lasts about this long, so that clock and frequency changes are shared by all.
    private const double TurnSeconds = 0.25;

    // Two engines that round products to 11 or 8 bits differ by that.
    private double Tolerance => options.On.Precision switch
    {
        Precision.Bf16 => 5e-2,
        Precision.Tf32 or Precision.Fp16 => 1e-2,
        _ => @case.Tolerance,
    };

    // Engines that have a GPU build to compare with.
    internal static IEnumerable<string> EnginesOf(PeerCase @case, WorkDevice on)
    {
        if (on.Name == "cpu")
        {
            return @case.Engines;
        }

        var built = @case.Engines.Where(e => e is PeerCases.Ours or PeerCases.Encoder or PeerCases.Torch);
        built = @case.Kind == PeerCase.Step ? built.Append(PeerCases.Graph) : built;
        return @case.TakesBatches ? built.Append(PeerCases.TorchCompile) : built;
    }

    /// <summary>
    /// Compares the outputs, then times in turn. An engine that ends early, out of memory or for want of a compiler, is missing; the others go on.
    /// Without ours there is nothing to compare with.
    /// </summary>
    /// <param name="folder">Inputs and weights (<see cref="PeerData"/>).</param>
    internal List<PeerResult> Run(string folder)
    {
        var results = new List<PeerResult>();
        var processes = new List<PeerProcess>();
        var errors = new Dictionary<string, double>();
        try
        {
            foreach (string name in EnginesOf(@case, options.On))
            {
                var engine = engines.First(e => e.Name == name);
                if (engine.Missing is not null)
                {
                    results.Add(new PeerResult { Case = @case.Name, Engine = name, Missing = engine.Missing });
                    continue;
                }

                Console.Error.WriteLine($"{@case.Name}: {name}");
                if (Try(name, results, () => PeerProcess.Start(engine, @case, folder, options.On)) is not { } process)
                {
                    if (name == PeerCases.Ours)
                    {
                        return results;
                    }

                    continue;
                }

                processes.Add(process);
                var (error, tensor) = name is PeerCases.Ours or PeerCases.Peak or PeerCases.Encoder
                    ? (0, string.Empty)
                    : Agreement.Compare(Output(folder, PeerCases.Ours), Output(folder, name));
                errors[name] = error;
                if (!(error <= Tolerance))
                {
                    processes.Remove(process);
                    process.Dispose();
                    results.Add(new PeerResult
                    {
                        Case = @case.Name,
                        Engine = name,
                        Error = error,
                        Failed = true,
                        Missing = "its outputs differ from ours by "
                        + $"{error:e1} in '{tensor}', at most {Tolerance:e1} allowed: not timed"
                    });
                }
            }

            var ours = processes[0];
            var running = processes.ToList();
            for (int round = 0; round < options.Rounds && running.Contains(ours); round++)
            {
                running.RemoveAll(process => Try(process.Engine, results, () => process.Turn(
                    Math.Clamp((int)(TurnSeconds / process.Seconds), 1, 200))) is null);
            }

            if (running.Contains(ours))
            {
                results.AddRange(running.Select(p => Try(p.Engine, results, () => Result(p, ours, errors[p.Engine]))).OfType<PeerResult>().ToList());
            }
        }
        finally
        {
            processes.ForEach(p => p.Dispose());
        }

        return results;
    }

    internal IEnumerable<GoalResult> Goals(IReadOnlyList<PeerResult> results)
    {
        var ours = results.First(r => r.Engine == PeerCases.Ours);
        if (options.On.Name != "cpu")
        {
            yield break;
        }

        foreach (var goal in @case.Goals)
        {
            var rivals = results.Where(r => r.Missing is null && (goal.Rival == PeerCases.Best
                ? r.Engine is PeerCases.Onnx or PeerCases.Torch or PeerCases.Libtorch
                : r.Engine == goal.Rival)).ToList();
            if (rivals.Count > 0)
            {
                double ratio = goal.Measure switch
                {
                    Measure.Time => rivals.Max(r => r.OursToThis),
                    Measure.Peak => rivals.Max(r => ours.PeakMebibytes / r.PeakMebibytes),
                    _ => rivals.Max(r => ours.AddedMebibytes / r.AddedMebibytes),
                };
                yield return new GoalResult(@case.Name, goal.Measure.ToString().ToLowerInvariant(), goal.Rival, goal.Limit, ratio);
            }
        }
    }

    // Nothing, and a result without numbers, where the engine ended.
    private T? Try<T>(string engine, List<PeerResult> results, Func<T> run)
        where T : class
    {
        try
        {
            return run();
        }
        catch (PeerEndedException e)
        {
            results.Add(new PeerResult { Case = @case.Name, Engine = engine, Failed = true, Missing = e.Message });
            return null;
        }
    }

    private static string Output(string folder, string engine) => Path.Combine(folder, $"out.{engine}.safetensors");

    private PeerResult Result(PeerProcess process, PeerProcess ours, double error)
    {
        double median = process.Times.Median();
        var ratio = ours.Rounds.Zip(process.Rounds, (a, b) => a / b).Median();
        var end = process.End();
        return new PeerResult
        {
            Case = @case.Name,
            Engine = process.Engine,
            MedianSeconds = median,
            LowSeconds = process.Rounds.Min(),
            HighSeconds = process.Rounds.Max(),
            Runs = process.Times.Count,
            Rounds = process.Rounds,
            GigaFlops = @case.Flops / median / 1e9,
            PeakMebibytes = (double)end["peak"]!,
            AddedMebibytes = (double)end["added"]!,
            Error = error,
            OursToThis = ratio,
            ManagedBytesPerRun = (long?)end["managedBytesPerRun"] ?? 0,
            Collections = (int?)end["collections"] ?? 0,
            DeviceAllocations = (long?)end["deviceAllocations"] ?? 0,
        };
    }
}
