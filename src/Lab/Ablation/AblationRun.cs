using System.Diagnostics;
using System.Text.Json;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Lab.Evidence;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>
/// `ldvc ablate`: trains and scores every run of a plan. Each is an ordinary run folder; what is finished is never repeated, what was begun
/// continues, so the same command line goes on where a killed one stopped. The tables are written anew after every run.
/// </summary>
internal sealed class AblationRun
{
    private readonly LdvcConfig _config;
    private readonly AblationFolder _folder;
    private readonly Device _device;
    private readonly DatasetRegistry _datasets;
    private readonly IComparisonMonitor _monitor;
    private readonly JobMember _job;
    private readonly string _clip;
    private readonly SegmentationDataset _training;

    // By split; a single one under the configuration's own.
    private readonly SegmentationDataset[] _validation;

    // What the numbers depend on besides options: CLIP, pictures and classes.
    private readonly string[] _data;
    private readonly IReadOnlyList<(string Name, string Value)> _files;

    // The checkpoint that all transductive runs start from; null when each has one of its own.
    private readonly StartingPoint? _start;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Func<int, Device> _openDevice;
    private readonly int _jobs;

    // What several jobs share, under its lock: the next run to take, results and tables, the time that runs took here.
    private readonly Lock _shared = new();
    private int _next;
    private int _here;
    private double _spent;

    /// <summary>Opens the folder and checks everything that can be wrong before hours are spent.</summary>
    /// <param name="config">The configuration of the whole method.</param>
    /// <param name="plan">What is trained.</param>
    /// <param name="root">The folder of the comparison.</param>
    /// <param name="device">Where costs are measured, and runs are computed when one is computed at a time.</param>
    /// <param name="openDevice">Opens a device of so many threads for a job, when several runs are computed at a time.</param>
    /// <param name="datasets">Opens data sets.</param>
    /// <param name="monitor">Follows the comparison.</param>
    /// <param name="job">Its processes share the runs; the first one writes the tables and talks.</param>
    /// <exception cref="InputException">Bad input.</exception>
    internal AblationRun(
        LdvcConfig config, AblationPlan plan, string root, Device device, Func<int, Device> openDevice, DatasetRegistry datasets,
            IComparisonMonitor monitor, JobMember job)
    {
        (_config, _device, _openDevice, _datasets, _monitor, _job) = (config, device, openDevice, datasets, monitor, job);
        _clip = config.Require(config.Clip.Path, "clip.path", "the pretrained CLIP");
        SegmentationDataset own = datasets.OpenValidation(config);
        foreach (ClassSplit split in plan.Splits)
        {
            // Here the message names the file.
            own.Classes.IndicesOf(split.Unseen, split.File);
        }

        _validation = plan.Splits.Count > 0 ? [.. plan.Splits.Select(split => datasets.OpenValidation(SplitBy(config, split)))] : [own];
        _training = datasets.OpenTraining(plan.Splits.Count > 0 ? SplitBy(config, plan.Splits[0]) : config);
        if (_validation[0].Classes.Count < 2)
        {
            throw new InputException($"{_validation[0].Name}: expected at least two classes, found one: shuffled names are no control then");
        }

        Confusion.CheckRoom(_validation[0].Name, _validation[0].Classes.Count);
        _training.CheckFiles();
        _validation[0].CheckFiles();
        _files = JobFacts.OfFiles(ClipCheckpoint.Find(_clip));
        _data =
        [
            .. _files.Select(file => file.Value), $"{_training.Name} {_training.Count} {SampleDigest.Of(_training)}",
            $"{_validation[0].Name} {_validation[0].Count} {SampleDigest.Of(_validation[0])}",
            .. _validation[0].Classes.Classes.Select(name => name.ToString()),
        ];
        Results = new AblationResults(plan, config);
        _start = StartingPoint.Open(config, plan, _validation);
        _jobs = Math.Clamp(config.Ablate.Jobs, 1, plan.Runs.Count);
        _next = job.Group.Rank;
        _folder = AblationFolder.Join(root, config);
        if (job.IsFirst)
        {
            RefuseOtherRuns();
            _folder = AblationFolder.Open(root, plan.Narrow(config));
        }
    }

    /// <summary>What has been measured so far.</summary>
    internal AblationResults Results { get; }

    /// <summary>The command line, for the report.</summary>
    internal required string Command { get; init; }

    /// <summary>Runs the plan; false when Ctrl-C came first.</summary>
    /// <exception cref="InputException">A variant cannot be trained, or training diverged.</exception>
    internal bool Execute()
    {
        AblationPlan plan = Results.Plan;
        _job.RequireAlike(Facts());
        _monitor.Say(
            $"{plan.ScoredRows.Count} rows, {plan.Sweeps.Count} values in sweeps: {plan.Runs.Count} {ConfigWriter.EnumName(_config.Train.Setting)} "
                + $"runs of {_config.Train.Steps} steps, in {_folder.Root}");
        try
        {
            SharedWork.Run(_job, cancellation =>
            {
                if (_job.IsFirst)
                {
                    MeasureCosts(cancellation);
                }
            });
            SharedWork.Run(_job, stop =>
            {
                RunAll(stop);
                stop.ThrowIfCancellationRequested();
            });
            Gather();

            // The others wait as long as it takes.
            SharedWork.Run(_job, _ => WriteReport());
        }
        catch (OperationCanceledException) when (_job.MustStop)
        {
            _monitor.Say($"stopped with {Results.Count} of {plan.Runs.Count} runs finished, after {TimeText.Span(_clock.Elapsed.TotalSeconds)}; the "
                + "same command goes on from here");
            return false;
        }

        _monitor.Say($"tables  {_folder.MarkdownPath}, {_folder.JsonPath}");
        _monitor.Say($"report  {_folder.ReportPath}");
        return true;
    }

    /// <summary>The comparison as an entry of the ledger. One process of a job makes it, when all runs are done.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="cancellation">Set by Ctrl-C.</param>
    /// <exception cref="InputException">A run is of another arithmetic than this program's.</exception>
    /// <exception cref="OperationCanceledException">Ctrl-C.</exception>
    internal LedgerEntry Record(string command, CancellationToken cancellation)
    {
        Origin here = Origin.Here;
        int steps = 0;
        foreach (AblationVariant row in Results.Plan.ScoredRows)
        {
            PlannedRun[] runs = [.. Results.Plan.Runs.Where(run => run.Variant.Key == row.Key)];
            foreach (PlannedRun run in runs)
            {
                IEnumerable<Origin> origins = Results.Find(run) is { } result ? AblationRecord.Origins(result) : [];
                if (origins.FirstOrDefault(o => (o.Bits, o.VectorBits) != (here.Bits, here.VectorBits)) is { } origin)
                {
                    throw new InputException(
                        $"{_folder.ResultPath(run)}: expected results of this program's arithmetic "
                        + $"(bits {here.Bits}, vectors of {here.VectorBits} bits), "
                        + $"found bits {origin.Bits}, {origin.VectorBits}: train again in another folder.");
                }
            }

            // Files from before runs said what trained them: one run of each row is tried.
            if (Array.Find(runs, run => Results.Find(run)?.Origin is null) is { } silent && !IsTrainingFree(silent))
            {
                TrainSetting setting = _config.Train.Setting;
                steps = FirstSteps.Check(_folder.RunPath(silent, setting), ConfigOf(silent, setting), _device, _datasets, cancellation);
                _monitor.Say($"{silent.Name}: {steps} steps trained again, with the same loss");
            }
        }

        return AblationRecord.Entry(Results, command, _device, steps);
    }

    // Runs of several processes come into one table: they must be of one CLIP and of the same pictures. Where those lie on a node is its own matter.
    private List<(string Name, string Value)> Facts() =>
    [
        .. _files,
        .. JobFacts.OfPictures("training", _training),
        .. _validation.SelectMany(validation => JobFacts.OfPictures("validation", validation)),
        ("the SHA-256 of train.transductive.from", _start?.Sha256 ?? "none"),
    ];

    // Before the folder's own configuration is replaced, and before the rows that are not there yet are trained for hours.
    private void RefuseOtherRuns()
    {
        foreach (PlannedRun run in Results.Plan.Runs.Where(run => !IsTrainingFree(run)))
        {
            LdvcConfig config = ConfigOf(run, _config.Train.Setting);
            RunWork.CheckFolder(_folder, run, config, _config.Ablate.Curve);
            RunWork.CheckCurve(_folder, run, config, _config.Ablate.Curve);
            if (StartsAlone(config))
            {
                RunWork.CheckFolder(_folder, run, ConfigOf(run, TrainSetting.Inductive), []);
            }
        }
    }

    private void WriteReport()
    {
        if (_job.IsFirst)
        {
            AblationReport.Write(_folder, Results, _validation[0], _clip, _device, Command, _clock.Elapsed);
        }
    }

    // First of all: a variant that cannot be trained is an error before hours are spent on the others.
    private void MeasureCosts(CancellationToken cancellation)
    {
        foreach (AblationVariant variant in Results.Plan.Variants)
        {
            cancellation.ThrowIfCancellationRequested();
            string path = _folder.CostPath(variant), fingerprint = Fingerprint(variant.Config, _validation[0], _device.Name);
            VariantCost? cost = ResultFile.Load<VariantCost>(path);
            if (cost?.Fingerprint != fingerprint)
            {
                cost = VariantCost.Measure(variant.Config, _clip, _training, _validation[0], _device, fingerprint);
                ResultFile.Save(path, cost);
            }

            Results.Costs[variant.Key] = cost;
        }
    }

    private void RunAll(CancellationToken stop)
    {
        int threads = _device is CpuDevice cpu ? Math.Max(1, cpu.ThreadCount / _jobs) : 0;
        if (_jobs > 1)
        {
            _monitor.Say($"{_jobs} runs at a time, each with {threads} {(threads == 1 ? "thread" : "threads")}");
        }

        void Work(IComparisonMonitor monitor, CancellationToken cancellation)
        {
            using Device? own = _jobs > 1 ? _openDevice(threads) : null;
            while (TakeNext() is { } index)
            {
                cancellation.ThrowIfCancellationRequested();
                RunOne(index, own ?? _device, monitor, cancellation);
            }
        }

        if (_jobs == 1)
        {
            Jobs.Run(1, (_, cancellation) => Work(_monitor, cancellation), stop);
            return;
        }

        _monitor.Together(monitor => Jobs.Run(_jobs, (_, cancellation) => Work(monitor, cancellation), stop));
    }

    // The processes of a job take runs in turn.
    private int? TakeNext()
    {
        lock (_shared)
        {
            if (_next >= Results.Plan.Runs.Count)
            {
                return null;
            }

            int taken = _next;
            _next += _job.Group.Size;
            return taken;
        }
    }

    private void RunOne(int index, Device device, IComparisonMonitor monitor, CancellationToken cancellation)
    {
        IReadOnlyList<PlannedRun> runs = Results.Plan.Runs;
        PlannedRun run = runs[index];
        if (_jobs > 1)
        {
            monitor = monitor.Marked($"[{run.Name}] ");
        }

        LdvcConfig config = ConfigOf(run, _config.Train.Setting);
        double[] penalties = RunScorer.Penalties(config, Results.Plan.Penalties);
        string fingerprint = FingerprintOf(run);
        RunResult? result = RunResult.Load(_folder.ResultPath(run), fingerprint);
        monitor.Say($"run {index + 1} of {runs.Count}: {run.Name} ({(result is null ? Left(index) : "done before")})");
        double start = _clock.Elapsed.TotalSeconds;
        bool before = result is not null;
        if (result is null)
        {
            var work = new RunWork(_folder, _validation[run.Split?.Index ?? 0], _clip, device, _datasets, monitor, cancellation);
            result = IsTrainingFree(run)
                ? work.MeasureTrainingFree(run, config, fingerprint)
                : work.Measure(
                    run, config, StartsAlone(config) ? ConfigOf(run, TrainSetting.Inductive) : null, penalties, _config.Ablate.Curve, fingerprint);
            ResultFile.Save(_folder.ResultPath(run), result);
        }

        lock (_shared)
        {
            // The CLIP alone takes a fraction of what a trained run takes, and says nothing about how long those will.
            if (!before && !IsTrainingFree(run))
            {
                _spent += _clock.Elapsed.TotalSeconds - start;
                _here++;
            }

            Results.Add(run, result);
            if (_job.IsFirst)
            {
                AddFinished();
                AblationOutput.Write(_folder, Results);
            }
        }

        monitor.Say($"  {AblationTables.Line(result)}");
    }

    // What other processes have finished by now, as their files say.
    private void AddFinished()
    {
        for (int i = 0; i < Results.Plan.Runs.Count && !_job.IsAlone; i++)
        {
            PlannedRun run = Results.Plan.Runs[i];
            if (i % _job.Group.Size != 0 && Results.Find(run) is null && RunResult.Load(_folder.ResultPath(run), FingerprintOf(run)) is { } result)
            {
                AddOfOther(i, result);
            }
        }
    }

    private void AddOfOther(int index, RunResult result)
    {
        PlannedRun run = Results.Plan.Runs[index];
        Results.Add(run, result);
        _monitor.Say($"run {index + 1} of {Results.Plan.Runs.Count}: {run.Name} (done by rank {index % _job.Group.Size})");
        _monitor.Say($"  {AblationTables.Line(result)}");
    }

    // All results, in the process that writes the tables.
    private void Gather()
    {
        if (_job.IsAlone)
        {
            return;
        }

        IReadOnlyList<PlannedRun> runs = Results.Plan.Runs;
        var own = Deal.Of(_job.Group, runs.Count).ToDictionary(i => i, i => Results.Find(runs[i])!);
        byte[][]? all = _job.Group.Gather(JsonSerializer.SerializeToUtf8Bytes(own, JsonText.Format), root: 0);
        _job.OnFirst(() =>
        {
            foreach (var (index, result) in all!.SelectMany(part => JsonSerializer.Deserialize<Dictionary<int, RunResult>>(part, JsonText.Format)!))
            {
                if (Results.Find(runs[index]) is null)
                {
                    AddOfOther(index, result);
                }
            }

            AblationOutput.Write(_folder, Results);
        });
    }

    private string Left(int index)
    {
        lock (_shared)
        {
            return _here > 0 ? "ETA " + TimeText.Span(_spent / _here * (Results.Plan.Runs.Count - index) / (_jobs * _job.Group.Size)) : "first run";
        }
    }

    private string FingerprintOf(PlannedRun run)
    {
        LdvcConfig config = ConfigOf(run, _config.Train.Setting);
        SegmentationDataset scored = _validation[run.Split?.Index ?? 0];
        if (IsTrainingFree(run))
        {
            return Fingerprint(config, scored, TrainingFreeRow.Settings(config));
        }

        int[] curve = _config.Ablate.Curve;
        string[] onTheWay = curve.Length > 0 ? [$"curve {string.Join(' ', curve)}"] : [];
        string[] from = _start is null ? [] : [$"from {_start.Sha256}"];
        return Fingerprint(config, scored, [.. RunScorer.Penalties(config, Results.Plan.Penalties).Select(ConfigText.Number), .. onTheWay, .. from]);
    }

    // Whether a run starts from the half-way checkpoint of an inductive run of its own.
    private bool StartsAlone(LdvcConfig config) => config.Train.Setting == TrainSetting.Transductive && _start is null;

    private bool IsTrainingFree(PlannedRun run) => run.Variant.Key == Results.Plan.TrainingFree?.Key;

    private LdvcConfig ConfigOf(PlannedRun run, TrainSetting setting)
    {
        LdvcConfig config = SplitBy(run.Variant.Config, run.Split);
        string root = _folder.RunPath(run, setting);
        string? from = _start?.Path;
        if (setting == TrainSetting.Transductive && from is null)
        {
            LdvcConfig inductive = ConfigOf(run, TrainSetting.Inductive);
            from = new CheckpointFolder(RunFolder.CheckpointsOf(inductive.Train.Out!), 1, _ => { }).PathOf(inductive.Train.HalfWay);
        }

        return config with
        {
            Train = config.Train with
            {
                Seed = run.Seed,
                Setting = setting,
                Out = root,

                // What only transductive training reads must not tell apart inductive runs, which comparisons of both settings share.
                Transductive = setting == TrainSetting.Transductive ? config.Train.Transductive with { From = from } : new TransductiveConfig(),
            },
        };
    }

    private static LdvcConfig SplitBy(LdvcConfig config, ClassSplit? split) =>
        split is null ? config : config with { Data = config.Data with { Unseen = split.Unseen } };

    // The split may come from a file of the data set, so that no option tells of it.
    private string Fingerprint(LdvcConfig config, SegmentationDataset scored, params IEnumerable<string> more) =>
        AblationFolder.Fingerprint(config, [.. _data, $"seen {string.Join(' ', scored.Split.Seen)}", .. more]);
}
