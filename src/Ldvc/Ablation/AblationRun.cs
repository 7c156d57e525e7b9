using System.Diagnostics;
using Ldvc.Cli;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Ablation;

/// <summary>
/// `ldvc ablate`: trains and scores every run of a plan. Each is an ordinary run folder; what is finished is never repeated, what was begun continues,
/// so the same command line goes on where a killed one stopped. The tables are written anew after every run.
/// </summary>
internal sealed class AblationRun
{
    private readonly LdvcConfig _config;
    private readonly AblationFolder _folder;
    private readonly Device _device;
    private readonly VerbHost _host;
    private readonly string _clip;
    private readonly string _clipSha;
    private readonly SegmentationDataset _training;
    private readonly SegmentationDataset _validation;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    internal AblationRun(LdvcConfig config, AblationPlan plan, string root, Device device, VerbHost host)
    {
        (_config, _device, _host) = (config, device, host);
        _clip = config.Require(config.Clip.Path, "clip.path", "the pretrained CLIP");
        _training = DatasetFactory.OpenTraining(config);
        _validation = DatasetFactory.OpenValidation(config);
        if (_validation.Classes.Count < 2)
        {
            throw new InputException($"{_validation.Name}: expected at least two classes, found one: shuffled names are no control then");
        }

        _training.CheckFiles();
        _validation.CheckFiles();
        _clipSha = ClipCheckpoint.Find(_clip).Sha256();
        Results = new AblationResults(plan, config);
        _folder = AblationFolder.Open(root, config);
    }

    /// <summary>What has been measured so far.</summary>
    internal AblationResults Results { get; }

    /// <summary>Runs the plan; false when Ctrl-C came first.</summary>
    /// <exception cref="InputException">A variant cannot be trained, or training diverged.</exception>
    internal bool Execute()
    {
        AblationPlan plan = Results.Plan;
        _host.Output.WriteLine(
            $"{plan.Rows.Count} rows, {plan.Sweeps.Count} values in sweeps: {plan.Runs.Count} {ConfigWriter.EnumName(_config.Train.Setting)} runs of {_config.Train.Steps} steps, in {_folder.Root}");
        try
        {
            MeasureCosts();
            RunAll();
            _host.Cancellation.ThrowIfCancellationRequested();
            AblationReport.Write(_folder, Results, _validation, _clip, _device, _clock.Elapsed);
        }
        catch (OperationCanceledException) when (_host.Cancellation.IsCancellationRequested)
        {
            _host.Output.WriteLine($"stopped with {Results.Count} of {plan.Runs.Count} runs finished, after {ProgressReporter.Span(_clock.Elapsed.TotalSeconds)}; the same command goes on from here");
            return false;
        }

        _host.Output.WriteLine($"tables  {_folder.MarkdownPath}, {_folder.JsonPath}");
        _host.Output.WriteLine($"report  {_folder.ReportPath}");
        return true;
    }

    // First of all: what cannot be trained is found out before hours are spent on the rest.
    private void MeasureCosts()
    {
        foreach (AblationVariant variant in Results.Plan.Variants)
        {
            _host.Cancellation.ThrowIfCancellationRequested();
            string path = _folder.CostPath(variant), fingerprint = Fingerprint(variant.Config, _device.Name);
            VariantCost? cost = ResultFile.Load<VariantCost>(path);
            if (cost?.Fingerprint != fingerprint)
            {
                cost = VariantCost.Measure(variant.Config, _clip, _training, _validation, _device, fingerprint);
                ResultFile.Save(path, cost);
            }

            Results.Costs[variant.Key] = cost;
        }
    }

    private void RunAll()
    {
        IReadOnlyList<PlannedRun> runs = Results.Plan.Runs;
        double spent = 0;
        int here = 0;
        for (int i = 0; i < runs.Count; i++)
        {
            _host.Cancellation.ThrowIfCancellationRequested();
            PlannedRun run = runs[i];
            LdvcConfig config = ConfigOf(run, _config.Train.Setting);
            double[] penalties = RunScorer.Penalties(config, Results.Plan.Penalties);
            string fingerprint = Fingerprint(config, penalties.Select(ConfigText.Number));
            RunResult? result = RunResult.Load(_folder.ResultPath(run), fingerprint);
            string left = here > 0 ? "ETA " + ProgressReporter.Span(spent / here * (runs.Count - i)) : "first run";
            _host.Output.WriteLine($"run {i + 1} of {runs.Count}: {run.Name} ({(result is null ? left : "done before")})");
            if (result is null)
            {
                double start = _clock.Elapsed.TotalSeconds;
                result = Measure(run, config, penalties, fingerprint);
                ResultFile.Save(_folder.ResultPath(run), result);
                spent += _clock.Elapsed.TotalSeconds - start;
                here++;
            }

            Results.Add(run, result);
            AblationOutput.Write(_folder, Results);
            _host.Output.WriteLine($"  {AblationTables.Line(result)}");
        }
    }

    private RunResult Measure(PlannedRun run, LdvcConfig config, double[] penalties, string fingerprint)
    {
        if (config.Train.Setting == TrainSetting.Transductive)
        {
            // Its starting point, the half-way checkpoint of an inductive run: that is a run of its own, which an inductive comparison in this folder shares.
            Train(run, ConfigOf(run, TrainSetting.Inductive));
        }

        string checkpoint = Train(run, config), folder = _folder.RunPath(run, config.Train.Setting);
        using LdvcCheckpoint trained = LdvcCheckpoint.Open(checkpoint);
        using LoadedModel loaded = trained.LoadModel(_device, _clip);
        var (scores, shuffled, torn) = RunScorer.Run(_host, loaded, _validation, config, penalties);
        return new RunResult
        {
            Fingerprint = fingerprint,
            Variant = run.Variant.Key,
            Seed = run.Seed,
            Scores = scores[0],
            NoPenalty = scores[1],
            Shuffled = shuffled[0],
            ShuffledNoPenalty = shuffled[1],
            Penalties = [.. penalties.Skip(2).Zip(scores.Skip(2), (penalty, line) => new PenaltyScore(penalty, line))],
            PiecesPerObject = torn.PiecesPerObject,
            RightPiecesPerFound = torn.RightPiecesPerFound,
            Pictures = Evaluation.Count(_validation, config),
            Steps = trained.Step,
            TrainImagesPerSecond = RunMetrics.Median(RunMetrics.Read(folder, "images_per_second")),
            Checkpoint = Path.GetRelativePath(_folder.Root, checkpoint),
        };
    }

    // Trains, continues or finds finished; the last checkpoint.
    private string Train(PlannedRun run, LdvcConfig config)
    {
        string root = _folder.RunPath(run, config.Train.Setting);
        var checkpoints = new CheckpointFolder(RunFolder.CheckpointsOf(root), config.Train.Keep, _ => { });
        bool existed = RunFolder.Check(root, config, resume: true);
        if (existed && File.Exists(Path.Combine(root, "scores.json")) && checkpoints.Latest() is { } last && last.Step == config.Train.Steps)
        {
            return last.Path;
        }

        TrainingOutcome outcome = TrainingRun.Run(config, root, resume: true, _device, _host);
        return outcome.Finished ? outcome.Checkpoint! : throw new OperationCanceledException(_host.Cancellation);
    }

    private LdvcConfig ConfigOf(PlannedRun run, TrainSetting setting)
    {
        LdvcConfig config = run.Variant.Config;
        string root = _folder.RunPath(run, setting);
        string? from = null;
        if (setting == TrainSetting.Transductive)
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

    private string Fingerprint(LdvcConfig config, params IEnumerable<string> more) => AblationFolder.Fingerprint(
        config,
        [_clipSha, $"{_training.Name} {_training.Count}", $"{_validation.Name} {_validation.Count}", string.Join(", ", _validation.Classes), .. more]);
}
