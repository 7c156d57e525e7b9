using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Lab.Evidence;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>Computes single runs of a comparison on one device.</summary>
/// <param name="folder">The comparison's folder.</param>
/// <param name="validation">What is scored, under the run's split.</param>
/// <param name="clip">The pretrained CLIP.</param>
/// <param name="device">Where to compute.</param>
/// <param name="datasets">Opens data sets.</param>
/// <param name="monitor">Follows the runs.</param>
/// <param name="cancellation">Set when they are to stop.</param>
internal sealed class RunWork(
    AblationFolder folder,
    SegmentationDataset validation,
    string clip,
    Device device,
    DatasetRegistry datasets,
    IRunMonitor monitor,
    CancellationToken cancellation)
{
    // What chooses another folder, in the words of a refusal.
    private const string OutKey = "ablate.out or --out";
    private const string ScoresName = "scores.json";

    /// <summary>
    /// Refuses a run's folder that holds something else, or a run of other options. A run that is trained may be scored in another way, unless it was
    /// scored on its way: those scores cannot be made again.
    /// </summary>
    /// <param name="folder">The comparison's folder.</param>
    /// <param name="run">The run.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="curve">Steps that are scored on the way.</param>
    /// <returns>Whether it had been started before.</returns>
    /// <exception cref="InputException">It is refused.</exception>
    internal static bool CheckFolder(AblationFolder folder, PlannedRun run, LdvcConfig config, int[] curve)
    {
        string root = folder.RunPath(run, config.Train.Setting);
        var checkpoints = new CheckpointFolder(RunFolder.CheckpointsOf(root), config.Train.Keep, _ => { });
        bool trained = File.Exists(Path.Combine(root, ScoresName)) && File.Exists(checkpoints.PathOf(config.Train.Steps));
        return RunFolder.Check(root, config, resume: true, OutKey, exact: true, scored: trained && curve.Length == 0);
    }

    /// <summary>
    /// Refuses a run that has gone past a step of the curve without being scored there. What has been measured is not looked for again.
    /// </summary>
    /// <param name="folder">The comparison's folder.</param>
    /// <param name="run">The run.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="curve">Steps that are scored on the way.</param>
    /// <exception cref="InputException">It has.</exception>
    internal static void CheckCurve(AblationFolder folder, PlannedRun run, LdvcConfig config, int[] curve)
    {
        string root = folder.RunPath(run, config.Train.Setting);
        var checkpoints = new CheckpointFolder(RunFolder.CheckpointsOf(root), config.Train.Keep, _ => { });
        bool measured = ResultFile.Load<RunResult>(folder.ResultPath(run))?.Curve is { } known
            && Array.TrueForAll(curve, step => Array.Exists(known, score => score.Step == step));
        if (curve.Length > 0 && !measured && checkpoints.Latest() is { } newest)
        {
            RefuseMissed(root, newest.Step, curve);
        }
    }

    /// <summary>Trains, or finds trained, and scores.</summary>
    /// <param name="run">The run.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="inductive">
    /// The configuration of the inductive run that a transductive one starts from; null when it starts from none of its own.
    /// </param>
    /// <param name="penalties">Seen penalties to score: the configured one, none, and those of the sweep.</param>
    /// <param name="curve">Steps that are scored on the way.</param>
    /// <param name="fingerprint">What the result depends on.</param>
    /// <exception cref="InputException">The run cannot be trained, or training diverged; or it is trained and was not scored on the way.</exception>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal RunResult Measure(PlannedRun run, LdvcConfig config, LdvcConfig? inductive, double[] penalties, int[] curve, string fingerprint)
    {
        // A run that was trained before is scored as it would have been then.
        device.Precision = config.Train.Precision;
        if (inductive is not null)
        {
            // Its starting point, the half-way checkpoint of an inductive run: that is a run of its own, which an inductive comparison in this folder
            // shares.
            Train(run, inductive, []);
        }

        string checkpoint = Train(run, config, curve), trainedIn = folder.RunPath(run, config.Train.Setting);
        using LdvcCheckpoint trained = LdvcCheckpoint.Open(checkpoint);
        using LoadedModel loaded = trained.LoadModel(device, clip);
        var scored = RunScorer.Run(monitor, loaded, validation, config, penalties, cancellation);
        RunResult result = Result(run, config, penalties, fingerprint, scored);
        Origin[]? by = TrainedBy(run, [config, .. inductive is null ? [] : new[] { inductive }]);
        return result with
        {
            TrainedBy = by,
            Origin = by is null ? null : result.Origin,
            Steps = trained.Step,
            Curve = curve.Length == 0
                ? null
                : [.. Curve(trainedIn, curve.Where(step => step < trained.Step)), new CurveScore(trained.Step, result.Scores)],
            TrainImagesPerSecond = RunMetrics.Median(RunMetrics.Read(trainedIn, "images_per_second")),
            Checkpoint = Path.GetRelativePath(folder.Root, checkpoint),
        };
    }

    /// <summary>Scores the CLIP alone.</summary>
    /// <param name="run">The run.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="fingerprint">What the result depends on.</param>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal RunResult MeasureTrainingFree(PlannedRun run, LdvcConfig config, string fingerprint)
    {
        device.Precision = config.Train.Precision;
        double[] penalties = [0, 0];
        using var row = new TrainingFreeRow(config, clip, device);
        var scored = RunScorer.Run(monitor, device, names => row.CreateSegmenter(validation, names), validation, config, penalties, cancellation);
        return Result(run, config, penalties, fingerprint, scored);
    }

    private RunResult Result(
        PlannedRun run,
        LdvcConfig config,
        double[] penalties,
        string fingerprint,
        (ScoreLine[] Scores, ScoreLine[] Shuffled, Fragmentation Torn) scored) => new()
        {
            Fingerprint = fingerprint,
            Variant = run.Variant.Key,
            Seed = run.Seed,
            Split = run.Split?.Name,
            Scores = scored.Scores[0],
            NoPenalty = scored.Scores[1],
            Shuffled = scored.Shuffled[0],
            ShuffledNoPenalty = scored.Shuffled[1],
            Penalties = [.. penalties.Skip(2).Zip(scored.Scores.Skip(2), (penalty, line) => new PenaltyScore(penalty, line))],
            PiecesPerObject = scored.Torn.PiecesPerObject,
            LargePiecesPerObject = scored.Torn.LargePiecesPerObject,
            RightPiecesPerFound = scored.Torn.RightPiecesPerFound,
            Pictures = Evaluator.Count(validation, config),
            Steps = 0,
            TrainImagesPerSecond = 0,
            Checkpoint = "",
            Origin = Origin.Here,
        };

    // What the run's evaluations on the way wrote into its log.
    private static IEnumerable<CurveScore> Curve(string root, IEnumerable<int> steps)
    {
        Dictionary<double, double> Read(string name) =>
            RunMetrics.Read(root, name).DistinctBy(point => point.Step).ToDictionary(point => point.Step, point => point.Value);
        Dictionary<double, double> accuracy = Read("pixel_accuracy"), seen = Read("miou_seen"), unseen = Read("miou_unseen"), harmonic = Read("hiou");
        foreach (int step in steps)
        {
            // A score may be missing where there is nothing to score; pixel accuracy is always there.
            double At(Dictionary<double, double> scores) => scores.GetValueOrDefault(step, double.NaN);
            yield return accuracy.ContainsKey(step)
                ? new CurveScore(step, new ScoreLine(At(accuracy), At(seen), At(unseen), At(harmonic)))
                : throw new InputException(
                    $"{root}: expected scores at step {step}, as ablate.curve says, found none: the run was trained without; choose another --out.");
        }
    }

    // The programs that trained the runs; null when one of them was trained before runs were noted, and its result does not say either.
    private Origin[]? TrainedBy(PlannedRun run, LdvcConfig[] configs)
    {
        var all = new List<Origin>();
        foreach (LdvcConfig config in configs)
        {
            Origin[]? noted = ResultFile.Load<Origin[]>(folder.TrainedPath(run, config.Train.Setting));
            if (noted is null && ResultFile.Load<RunResult>(folder.ResultPath(run))?.Origin is { } before)
            {
                noted = [before];
            }

            if (noted is null)
            {
                return null;
            }

            all.AddRange(noted);
        }

        return [.. all.Distinct()];
    }

    // Who trains a part of a run; of one that was begun before such notes nobody knows.
    private void NoteProgram(PlannedRun run, LdvcConfig config, bool begun)
    {
        string path = folder.TrainedPath(run, config.Train.Setting);
        Origin[]? before = begun ? ResultFile.Load<Origin[]>(path) : [];
        if (before is not null && !before.Contains(Origin.Here))
        {
            ResultFile.Save(path, (Origin[])[.. before, Origin.Here]);
        }
    }

    // A curve that a run has gone past is missed now, not when its training is over.
    private static void RefuseMissed(string root, int step, int[] curve) => _ = Curve(root, curve.Where(scored => scored < step)).Count();

    // Trains, continues or finds finished; the last checkpoint.
    private string Train(PlannedRun run, LdvcConfig config, int[] curve)
    {
        string root = folder.RunPath(run, config.Train.Setting);
        var checkpoints = new CheckpointFolder(RunFolder.CheckpointsOf(root), config.Train.Keep, _ => { });
        bool existed = CheckFolder(folder, run, config, curve);
        var (done, newest) = (existed ? checkpoints.Latest() : null) ?? (0, "");
        if (done == config.Train.Steps && File.Exists(Path.Combine(root, ScoresName)))
        {
            // Nothing is trained, so nothing else would notice.
            using LdvcCheckpoint finished = LdvcCheckpoint.Open(newest);
            finished.RefuseOtherModel(config);
            finished.RefuseOtherData(datasets.OpenTraining(config), OutKey);
            return newest;
        }

        RefuseMissed(root, done, curve);
        NoteProgram(run, config, begun: done > 0);
        TrainingOutcome outcome = TrainingRun.Run(config, root, resume: true, device, datasets, monitor, JobMember.Alone(cancellation), curve);
        return outcome.Finished ? outcome.Checkpoint! : throw new OperationCanceledException(cancellation);
    }
}
