using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// `ldvc train`: one run in its folder, from the first step or from the newest checkpoint to the last step and the final evaluation. A run that was
/// stopped, however roughly, and resumed ends with the same bytes as one that was not.
/// </summary>
public sealed class TrainingRun
{
    private readonly LdvcConfig _config;
    private readonly IRunMonitor _monitor;
    private readonly JobMember _job;
    private readonly RunFolder _folder;
    private readonly LoadedModel _loaded;
    private readonly SegmentationDataset _training;
    private readonly SegmentationDataset _validation;
    private readonly LdvcTrainer _trainer;
    private readonly RunLog? _log;
    private readonly RunLoop _loop;
    private readonly BestCheckpoint _best;
    private readonly int[] _scoredSteps;
    private Confusion? _confusion;
    private bool _warned;

    private TrainingRun(
        LdvcConfig config,
        IRunMonitor monitor,
        RunFolder folder,
        LoadedModel loaded,
        (SegmentationDataset Training, SegmentationDataset Validation) data,
        LdvcTrainer trainer,
        RunLog? log,
        RunLoop loop,
        int[] scoredSteps,
        JobMember job)
    {
        (_config, _monitor, _folder, _loaded, _scoredSteps, _job) = (config, monitor, folder, loaded, scoredSteps, job);
        ((_training, _validation), _trainer, _log, _loop) = (data, trainer, log, loop);
        _best = new BestCheckpoint(folder.CheckpointsPath, config.Train.KeepBest, trainer.Step);
    }

    /// <summary>Starts or continues a run and brings it to its end, or to Ctrl-C.</summary>
    /// <param name="config">The configuration; train.out is set to the folder.</param>
    /// <param name="root">The run's folder.</param>
    /// <param name="resume">Whether a run that is there is continued; without it, a run that is there is an error.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="datasets">Opens the data set.</param>
    /// <param name="monitor">Follows the run.</param>
    /// <param name="cancellation">Set when the run is to stop; it saves first.</param>
    /// <exception cref="InputException">Bad input, or training that diverged.</exception>
    public static TrainingOutcome Run(
        LdvcConfig config, string root, bool resume, Device device, DatasetRegistry datasets, IRunMonitor monitor, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(datasets);
        ArgumentNullException.ThrowIfNull(monitor);
        ConfigCheck.Whole(config);
        return Run(config, root, resume, device, datasets, monitor, JobMember.Alone(cancellation));
    }

    /// <summary>The same as one process of a job: all call it, each computes its part of every batch, the first one writes and talks.</summary>
    /// <param name="config">The configuration; train.out is set to the folder.</param>
    /// <param name="root">The run's folder.</param>
    /// <param name="resume">Whether a run that is there is continued.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="datasets">Opens the data set.</param>
    /// <param name="monitor">Follows the run.</param>
    /// <param name="job">The processes.</param>
    /// <param name="scoredSteps">Steps, in ascending order, after which there is an evaluation besides those of train.eval_every.</param>
    /// <exception cref="InputException">Bad input in one of the processes, or training that diverged.</exception>
    internal static TrainingOutcome Run(
        LdvcConfig config,
        string root,
        bool resume,
        Device device,
        DatasetRegistry datasets,
        IRunMonitor monitor,
        JobMember job,
        params int[] scoredSteps)
    {
        monitor = job.IsFirst ? monitor : SilentMonitor.Instance;
        job.RequireAlike(JobFacts.OfConfig(config));
        job.Together(() => device.Precision = config.Train.Precision);

        // With the folder in it, the run's own config.yaml is all that is needed to continue.
        config = config with { Train = config.Train with { Out = root } };
        bool existed = job.FromFirst(() => RunFolder.Check(root, config, resume) ? root : null) is not null;

        // Everything that can be wrong is checked before the folder is made and before hours are spent.
        var (training, validation) = job.Together(() => OpenData(config, datasets, monitor));
        job.OnFirst(() =>
        {
            if (existed && (config.Train.EvalEvery > 0 || scoredSteps.Length > 0))
            {
                RunFolder.RefuseOtherValidation(root, validation);
            }
        });
        var checkpoints = new CheckpointFolder(
            RunFolder.CheckpointsOf(root), config.Train.Keep, monitor.Warn, config.Train.HalfWay, config.Train.Steps);
        string? from = existed ? job.FromFirst(() => checkpoints.Latest()?.Path) : null;
        using LdvcCheckpoint? start = job.Together(() => OpenStart(config, from, training));
        using LoadedModel loaded = job.Together(() => LoadedModel.Create(
            config.Clip,
            config.Model,
            device,
            (ulong)config.Train.Seed,
            LoadedModel.ReadEmbeddings(config.Model, training.Classes) ?? start?.Embeddings));
        loaded.Statistics = start?.Statistics ?? loaded.Statistics;
        job.RequireAlike(job.Together(() => job.IsAlone ? [] : JobFacts.OfInputs(config, loaded, training, validation)));
        if (loaded.Note is { } note)
        {
            monitor.Say($"note: {note}");
        }

        using LdvcTrainer trainer = job.Together(() => new LdvcTrainer(loaded, training, config, job, monitor.Say));
        job.Together(() =>
        {
            start?.Restore(loaded, from is null ? null : trainer.Optimizer);
            Evaluator.CreateSegmenter(loaded, validation, config).Dispose();
        });
        ((ITrainable)trainer).Verify();
        using RunFolder folder = job.IsFirst ? OpenFolder(config, root, resume, checkpoints, from, job) : RunFolder.Join(root);
        job.Settle();
        using RunLog? log = job.Together(() => job.IsFirst ? new RunLog(folder, trainer.Step) : null);
        TrainConfig train = config.Train;
        var schedule = new RunSchedule(train.Steps, train.Batch, train.LogEvery, train.CheckpointEvery, train.HalfWay);
        var loop = new RunLoop(trainer, schedule, checkpoints, from, log, monitor, job);
        var run = new TrainingRun(config, monitor, folder, loaded, (training, validation), trainer, log, loop, scoredSteps, job);
        return run.Execute(start);
    }

    private static (SegmentationDataset Training, SegmentationDataset Validation) OpenData(
        LdvcConfig config, DatasetRegistry datasets, IRunMonitor monitor)
    {
        config.Require(config.Clip.Path, "clip.path", "the pretrained CLIP");
        SegmentationDataset training = datasets.OpenTraining(config), validation = datasets.OpenValidation(config);
        Confusion.CheckRoom(validation.Name, validation.Classes.Count);
        training.CheckFiles();
        validation.CheckFiles();
        foreach (SegmentationDataset part in new[] { training, validation })
        {
            foreach (string warning in MaskWarnings.Of(part))
            {
                monitor.Warn(warning);
            }
        }

        if (SharedFiles.Note(training, validation) is { } shared)
        {
            monitor.Say($"note: {shared}");
        }

        BestCheckpoint.Check(config.Train.KeepBest, validation.Split.Unseen.Length, config.Place);
        return (training, validation);
    }

    // Of the process that writes. What is wrong is said where the processes meet next; until then the folder is one that nobody holds.
    private static RunFolder OpenFolder(LdvcConfig config, string root, bool resume, CheckpointFolder checkpoints, string? from, JobMember job)
    {
        RunFolder? opened = null;
        job.Hold(() =>
        {
            RunFolder folder = RunFolder.Open(root, config, resume);
            if (folder.Existed && checkpoints.Latest()?.Path != from)
            {
                folder.Dispose();
                throw new InputException($"{root}: another ldvc process has just worked on this run; start again.");
            }

            checkpoints.RemoveLeftovers();
            opened = folder;
        });
        return opened ?? RunFolder.Join(root);
    }

    // The newest checkpoint of the run itself; else, for transductive training, the one it starts from.
    private static LdvcCheckpoint? OpenStart(LdvcConfig config, string? newest, SegmentationDataset training)
    {
        if (newest is not null)
        {
            return Resumable(newest, config, training);
        }

        if (config.Train.Setting != TrainSetting.Transductive)
        {
            return null;
        }

        string from = config.Require(config.Train.Transductive.From, "train.transductive.from", "the half-way checkpoint of an inductive run");
        LdvcCheckpoint start = LdvcCheckpoint.Open(RunCheckpoint.HalfWay(from));
        try
        {
            start.RefuseOtherModel(config);
            start.RefuseSeen([.. training.Split.Unseen.Select(id => training.Classes[id])], $"{config.Place}train.transductive.from");
            return start;
        }
        catch
        {
            start.Dispose();
            throw;
        }
    }

    // The run's configuration is compared in its folder; of the class embeddings it has the file's name alone.
    private static LdvcCheckpoint Resumable(string path, LdvcConfig config, SegmentationDataset training)
    {
        LdvcCheckpoint newest = LdvcCheckpoint.Open(path);
        try
        {
            newest.RefuseOtherModel(config);
            newest.RefuseOtherData(training);
            return newest;
        }
        catch
        {
            newest.Dispose();
            throw;
        }
    }

    private TrainingOutcome Execute(LdvcCheckpoint? start)
    {
        using CancellationTokenRegistration notice = RunLog.NoticeInterrupts(_monitor, _job.Cancellation);
        Announce(start);
        int steps = _config.Train.Steps;
        if (_loop.First > 0 && _loop.First < steps && Pause(steps, _loop.First - 1) == _loop.First && !IsScored(_loop.First) && !EvaluateBetween())
        {
            return Stopped($"step {_trainer.Step} of {steps}");
        }

        while (_trainer.Step < steps)
        {
            int target = Pause(steps, _trainer.Step);
            if (!_loop.RunUntil(target))
            {
                return Stopped($"step {_trainer.Step} of {steps}");
            }

            if (target < steps && !EvaluateBetween())
            {
                return Stopped($"step {_trainer.Step} of {steps}");
            }
        }

        if (Evaluate() is not { } scores)
        {
            return Stopped("the last step, before the evaluation was done");
        }

        foreach (string line in ScoreTable.Lines(scores))
        {
            _monitor.Say(line);
        }

        foreach (ScoreNote note in Diagnosis.Notes(_confusion!, _validation.Classes, _training.Classes))
        {
            _monitor.Say($"note: {note.Text}");
        }

        TrainingOutcome outcome = Outcome(scores);
        Summarise(outcome);
        return outcome;
    }

    private bool IsScored(long step) => _job.FromFirst(() => _folder.ScoredStep() == step ? "yes" : null) is not null;

    // The next step after which there is an evaluation.
    private int Pause(int steps, long from)
    {
        int every = _config.Train.EvalEvery;
        int asked = Array.Find(_scoredSteps, step => step > from) is > 0 and var next ? Math.Min(steps, next) : steps;
        return every == 0 ? asked : (int)Math.Min(asked, ((from / every) + 1) * every);
    }

    // The state is saved first: a bad validation file or a killed process costs the evaluation alone, and the scores belong to a checkpoint. False
    // when Ctrl-C came first; a resumed run then evaluates.
    private bool EvaluateBetween()
    {
        _loop.Save();
        if (Evaluate() is not { } scores)
        {
            return false;
        }

        _monitor.Say($"step {_trainer.Step}: {ScoreTable.Line(scores)}");
        return true;
    }

    // Null when Ctrl-C came first.
    private Scores? Evaluate()
    {
        try
        {
            _confusion = Evaluation.Confuse(_monitor, _loaded, _validation, _config, show: null, _job);
            Scores scores = Scores.From(_confusion, _validation.Classes, _validation.Split);
            _job.OnFirst(() => Keep(scores));
            return scores;
        }
        catch (OperationCanceledException) when (_job.MustStop)
        {
            return null;
        }
    }

    private void Keep(Scores scores)
    {
        // The step that a run goes on from may be scored again, or be the last one: its scores are in the log already.
        if (_trainer.Step > _loop.First || !_folder.LogHasScores(_trainer.Step))
        {
            _log!.Add(
                _trainer.Step,
                (RunFolder.AccuracyKey, scores.PixelAccuracy),
                ("miou_seen", scores.Seen),
                ("miou_unseen", scores.Unseen),
                ("hiou", scores.Harmonic),
                ("miou", scores.MeanIoU));
        }

        if (!_warned && _best.Missing(scores) is { } missing)
        {
            _warned = true;
            _monitor.Warn($"{missing}: none is kept as the best.");
        }

        if (_best.Offer(scores, _loop.Checkpoint!, _trainer.Step))
        {
            _monitor.Say($"best checkpoint so far: {_best.Describe()}, kept as {_best.Path}");
        }

        JsonText.Write(_folder.ScoresPath, new
        {
            Data = _validation.Name,
            Images = Evaluator.Count(_validation, _config),
            PicturesSha256 = SampleDigest.Of(_validation),
            Checkpoint = _loop.Checkpoint,
            _trainer.Step,
            Scores = ScoreTable.ToJson(scores),
        });
    }

    private void Announce(LdvcCheckpoint? start)
    {
        TrainConfig train = _config.Train;
        long trained = _loaded.Model.Parameters().Sum(p => p.Parameter.Value.Count);
        _monitor.Say(
            $"{_training.Name}: {_training.Count} pictures, {_training.Split.Seen.Length} seen and {_training.Split.Unseen.Length} unseen classes");
        _monitor.Say(
            $"{ConfigWriter.EnumName(train.Setting)} training of {trained / 1e6:0.00} M parameters: {train.Steps} steps of {train.Batch} pictures, "
                + $"seed {train.Seed}, in {_folder.Root}");
        if (!_job.IsAlone)
        {
            int each = train.Batch / _job.Group.Size;
            _monitor.Say($"{_job.Group.Description}: {each} {(each == 1 ? "picture" : "pictures")} of a step each");
        }

        if (train.Warmup >= train.Steps)
        {
            _monitor.Say(
                $"note: train.warmup is {train.Warmup} steps and the training {train.Steps}: the learning rate never gets to train.lr = "
                    + $"{ConfigText.Number(train.Lr)}; its largest value is {_trainer.LargestRate().ToString("G3", CultureInfo.InvariantCulture)}");
        }

        if (start is not null)
        {
            _monitor.Say(_loop.First > 0 ? $"continuing after step {_loop.First}" : $"starting from {start.Path} (step {start.Step})");
        }
        else if (_folder.Existed)
        {
            _monitor.Say("no checkpoint to continue from: the run begins anew");
        }

        foreach (string change in _loop.First > 0 ? _folder.Changes : [])
        {
            _monitor.Say(change);
        }
    }

    private TrainingOutcome Stopped(string where)
    {
        _loop.SayStopped(where, $"ldvc train {_folder.ConfigPath} --resume");
        return Outcome(null);
    }

    private TrainingOutcome Outcome(Scores? scores)
    {
        long here = _trainer.Step - _loop.First;
        double seconds = _loop.Elapsed.TotalSeconds;
        return new TrainingOutcome
        {
            Finished = scores is not null,
            Step = _trainer.Step,
            StepsHere = here,
            Seconds = seconds,
            ImagesPerSecond = here == 0 ? 0 : here * _config.Train.Batch / seconds,
            DataWaitSeconds = _trainer.Waited.TotalSeconds,
            Folder = _folder.Root,
            Checkpoint = _loop.Checkpoint,
            Best = _best.Value is null ? null : _best.Path,
            Loss = _loop.Loss,
            Scores = scores,
        };
    }

    private void Summarise(TrainingOutcome outcome)
    {
        _monitor.Say(outcome.StepsHere == 0
            ? $"all {outcome.Step} steps had been done before"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{outcome.StepsHere} steps in {TimeText.Span(outcome.Seconds)}, {outcome.ImagesPerSecond:G3} images/s, "
                    + $"{100 * outcome.DataWaitSeconds / outcome.Seconds:0} % of it waiting for pictures"));
        _monitor.Say($"checkpoint  {outcome.Checkpoint}");
        if (_best.Value is not null)
        {
            _monitor.Say($"best        {_best.Path} ({_best.Describe()})");
        }

        _monitor.Say($"scores      {_folder.ScoresPath}");
        _monitor.Say($"curves      {_folder.MetricsPath}, or: tensorboard --logdir {_folder.Root}");
    }
}
