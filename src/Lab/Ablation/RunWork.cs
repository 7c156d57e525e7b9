using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
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
    AblationFolder folder, SegmentationDataset validation, string clip, Device device, DatasetRegistry datasets, IRunMonitor monitor, CancellationToken cancellation)
{
    /// <summary>Trains, or finds trained, and scores.</summary>
    /// <param name="run">The run.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="inductive">The configuration of the inductive run that a transductive one starts from.</param>
    /// <param name="penalties">Seen penalties to score: the configured one, none, and those of the sweep.</param>
    /// <param name="fingerprint">What the result depends on.</param>
    /// <exception cref="InputException">The run cannot be trained, or training diverged.</exception>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal RunResult Measure(PlannedRun run, LdvcConfig config, LdvcConfig inductive, double[] penalties, string fingerprint)
    {
        // A run that was trained before is scored as it would have been then.
        device.Precision = config.Train.Precision;
        if (config.Train.Setting == TrainSetting.Transductive)
        {
            // Its starting point, the half-way checkpoint of an inductive run: that is a run of its own, which an inductive comparison in this folder shares.
            Train(run, inductive);
        }

        string checkpoint = Train(run, config), trainedIn = folder.RunPath(run, config.Train.Setting);
        using LdvcCheckpoint trained = LdvcCheckpoint.Open(checkpoint);
        using LoadedModel loaded = trained.LoadModel(device, clip);
        var scored = RunScorer.Run(monitor, loaded, validation, config, penalties, cancellation);
        return Result(run, config, penalties, fingerprint, scored) with
        {
            Steps = trained.Step,
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
        PlannedRun run, LdvcConfig config, double[] penalties, string fingerprint, (ScoreLine[] Scores, ScoreLine[] Shuffled, Fragmentation Torn) scored) => new()
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
        };

    // Trains, continues or finds finished; the last checkpoint.
    private string Train(PlannedRun run, LdvcConfig config)
    {
        string root = folder.RunPath(run, config.Train.Setting);
        var checkpoints = new CheckpointFolder(RunFolder.CheckpointsOf(root), config.Train.Keep, _ => { });
        bool existed = RunFolder.Check(root, config, resume: true);
        if (existed && File.Exists(Path.Combine(root, "scores.json")) && checkpoints.Latest() is { } last && last.Step == config.Train.Steps)
        {
            return last.Path;
        }

        TrainingOutcome outcome = TrainingRun.Run(config, root, resume: true, device, datasets, monitor, cancellation);
        return outcome.Finished ? outcome.Checkpoint! : throw new OperationCanceledException(cancellation);
    }
}
