using Ldvc.Autograd;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Kernels.Optimizer;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>What one optimiser step gave.</summary>
public readonly record struct StepResult(double Loss, double Focal, double Dice, double LearningRate);

/// <summary>
/// Trains LDVC (method.md 7 and 8) in any of the three settings. What a step does is a pure function of (configuration, seed, step number), so a run
/// continued from a checkpoint is the run that was never interrupted.
/// </summary>
public sealed class LdvcTrainer : ITrainable, IDisposable
{
    private readonly LoadedModel _loaded;
    private readonly LdvcConfig _config;
    private readonly SegmentationDataset _dataset;
    private readonly Augmentation _augmentation;
    private readonly LabelMapping _mapping;
    private readonly Tensor? _frozenClasses;
    private readonly Tensor? _unseenFlags;
    private readonly TrainingStep _step;
    private readonly JobMember _job;

    // What several processes tell each other; null for one.
    private readonly StepExchange? _exchange;
    private readonly GradientSums? _sums;
    private readonly PolynomialSchedule _schedule;
    private TrainingInputs? _inputs;
    private StepResult _last;
    private double _gradientNorm;
    private bool _disposed;

    /// <summary>Makes ready to train; the configuration is checked against the CLIP and the data set.</summary>
    /// <param name="loaded">The model; it stays the caller's.</param>
    /// <param name="dataset">The training part.</param>
    /// <param name="config">Sections train, augment, loss and data.</param>
    /// <exception cref="InputException">A value does not fit the CLIP or the data set.</exception>
    public LdvcTrainer(LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config)
        : this(
            loaded ?? throw new ArgumentNullException(nameof(loaded)),
            dataset ?? throw new ArgumentNullException(nameof(dataset)),
            Checked(config ?? throw new ArgumentNullException(nameof(config))),
            JobMember.Alone())
    {
    }

    /// <summary>The same as one process of a job: each takes its part of every batch.</summary>
    /// <param name="loaded">The model; it stays the caller's.</param>
    /// <param name="dataset">The training part.</param>
    /// <param name="config">Sections train, augment, loss and data.</param>
    /// <param name="job">The processes.</param>
    /// <param name="say">Gets a sentence about how steps are started; absent, it is left out.</param>
    /// <exception cref="InputException">A value does not fit the CLIP, the data set or the device.</exception>
    internal LdvcTrainer(LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config, JobMember job, Action<string>? say = null)
    {
        (_loaded, _dataset, _config, _job) = (loaded, dataset, config, job);
        var train = config.Train;
        DatasetCheck.Parts(dataset);
        CheckBatch(config, job.Group.Size);
        var graphs = StepGraphChoice.Of(config, loaded.Device, job, say ?? (_ => { }));

        if (config.Augment.Crop % loaded.Clip.Config.PatchSize != 0)
        {
            throw new InputException(
                $"{config.Place}augment.crop is {config.Augment.Crop}, expected a multiple of the CLIP's patch of {loaded.Clip.Config.PatchSize}");
        }

        if (train.Setting == TrainSetting.Transductive && dataset.Split.Unseen.Length == 0)
        {
            throw new InputException(
                $"{config.Place}train.setting is transductive, expected a data set with unseen classes, but {dataset.Name} has none");
        }

        // Built now, so that what is wrong with it is said before a run begins.
        _augmentation = new Augmentation(config.Augment, PictureStatistics.Of(config.Data, loaded.Statistics));
        DataLoader.CheckBatch(Pictures, config.Augment.Crop);
        _mapping = new LabelMapping(dataset.Split, train.Setting switch
        {
            TrainSetting.Inductive => LabelProtocol.Inductive,
            TrainSetting.Transductive => LabelProtocol.Transductive,
            _ => LabelProtocol.Supervised,
        });
        string[] names = [.. _mapping.ClassIds.Select(id => dataset.Classes[id])];
        TokenBatch? texts = loaded.Model.HasTextPrompts ? loaded.Tokenize(names) : null;

        // Frozen class embeddings never change: one computation serves the whole run.
        _frozenClasses = texts is null ? loaded.EmbedClasses(names) : null;

        if (_mapping.HasUnseenMask)
        {
            var flags = new byte[dataset.Classes.Count];
            foreach (int id in dataset.Split.Unseen)
            {
                flags[id] = 1;
            }

            _unseenFlags = loaded.Device.FromHost(flags, new Shape(flags.Length));
        }

        var parts = new StepParts(
            loaded,
            config.Loss,
            tape => texts is null ? tape.Constant(_frozenClasses!.Share()) : loaded.Model.EncodeClasses(tape, texts),
            _unseenFlags,
            _mapping.PseudoLabelMarker);
        if (!job.IsAlone)
        {
            (_exchange, _sums) = (new StepExchange(job), new GradientSums(job.Group, loaded.Device));
        }

        _schedule = new PolynomialSchedule(train.Lr, train.MinLr, train.Steps, train.PolyPower, train.Warmup, train.WarmupRatio);
        Optimizer = ConfiguredAdamW.Create("train", loaded.Model.Parameters(), train.Betas, train.Eps, train.WeightDecay, _ => true);
        _step = new TrainingStep(parts, Optimizer, graphs, _exchange, _sums);
    }

    // Pictures that this process computes at once.
    private int Pictures => _config.Train.Batch / _config.Train.Accumulate / _job.Group.Size;

    /// <summary>The optimiser with its moments.</summary>
    public AdamW Optimizer { get; }

    /// <summary>Steps taken.</summary>
    public long Step => Optimizer.Steps;

    /// <summary>Time spent waiting for data so far.</summary>
    public TimeSpan Waited => _inputs?.Waited ?? TimeSpan.Zero;

    /// <summary>
    /// Whether training has ended because of NaN or infinity. A number that was too large for fp16 is none: the weights are those of the step before.
    /// </summary>
    public bool HasDiverged { get; private set; }

    /// <summary>The largest learning rate of all steps, or of ten thousand of them.</summary>
    internal double LargestRate()
    {
        double largest = 0;
        for (long step = 0; step < _config.Train.Steps; step += 1 + (_config.Train.Steps / 10_000))
        {
            largest = Math.Max(largest, _schedule.At(step));
        }

        return largest;
    }

    TimeSpan? ITrainable.Waited => Waited;

    IReadOnlyList<(string Name, double Value)> ITrainable.Parts => _config.Train.ClipGrad == 0
        ? [("focal", _last.Focal), ("dice", _last.Dice)]
        : [("focal", _last.Focal), ("dice", _last.Dice), ("gradient_norm", _gradientNorm)];

    /// <summary>One optimiser step.</summary>
    /// <exception cref="InputException">A file of the data set is bad, or NaN or infinity appeared (the message names the first bad
    /// tensor).</exception>
    public StepResult RunStep()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var range = _loaded.Device.Range("training step");
        try
        {
            return _last = Take(_config.Train);
        }
        finally
        {
            _step.End();
        }
    }

    (double Loss, double LearningRate) ITrainable.Advance()
    {
        StepResult result = RunStep();
        return (result.Loss, result.LearningRate);
    }

    /// <summary>A checkpoint of the last step.</summary>
    /// <exception cref="InputException">A value of it is NaN or infinite.</exception>
    public SafetensorsWriter Compose()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return LdvcCheckpoint.Compose(_loaded, Optimizer, _config, _dataset);
    }

    void ITrainable.Verify() =>
        _job.RequireAlike([("the digest of the trained weights", _job.IsAlone ? "" : WeightDigest.Of(_loaded.Model.Parameters()))]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _step.Dispose();
        _inputs?.Dispose();
        _sums?.Dispose();
        _frozenClasses?.Dispose();
        _unseenFlags?.Dispose();
        Optimizer.Dispose();
    }

    private static LdvcConfig Checked(LdvcConfig config)
    {
        ConfigCheck.Whole(config);
        return config;
    }

    private DataLoader StartLoader()
    {
        var train = _config.Train;
        int workers = _config.Data.Workers > 0 ? _config.Data.Workers : Math.Clamp(_job.Cores / 2, 1, 8);
        return new DataLoader(_dataset, _augmentation, _mapping, new DataLoaderOptions
        {
            BatchSize = Pictures,
            Workers = workers,
            Prefetch = _config.Data.Prefetch,
            Seed = (ulong)train.Seed,
            StartIteration = Step * train.Accumulate,
            Rank = _job.Group.Rank,
            Ranks = _job.Group.Size,
        });
    }

    private static void CheckBatch(LdvcConfig config, int processes)
    {
        TrainConfig train = config.Train;
        if (train.Batch % train.Accumulate != 0)
        {
            throw new InputException($"{config.Place}train.accumulate is {train.Accumulate}, expected a divisor of train.batch = {train.Batch}");
        }

        int atOnce = train.Batch / train.Accumulate;
        if (atOnce % processes != 0)
        {
            string of = train.Accumulate == 1
                ? $"train.batch is {train.Batch}"
                : $"train.batch / train.accumulate is {train.Batch} / {train.Accumulate} = {atOnce}";
            throw new InputException($"{config.Place}{of}, expected a multiple of {processes}, the number of processes of the job: each takes as "
                + "many pictures of a batch as the others");
        }
    }

    private StepResult Take(TrainConfig train)
    {
        int parts = train.Accumulate;
        _inputs ??= new TrainingInputs(StartLoader(), _loaded.Device, _mapping.PseudoLabelMarker);
        double rate = _schedule.At(Step);
        AdamWStep numbers = Optimizer.Numbers((float)rate, 1f / parts);
        (double Total, double Focal, double Dice) losses = default;
        BadStep? bad = null;
        for (int part = 0; part < parts && (bad is null || _exchange is not null); part++)
        {
            // The others wait for this process's sums, whatever its numbers have become.
            bad = BadStep.Both(bad, Accumulate(_inputs, part, part + 1 < parts || Step + 1 < train.Steps, numbers, ref losses));
        }

        _sums?.Finish();
        string? reason = bad?.Message;
        bool diverged = bad is { Diverged: true };
        if (_exchange is not null)
        {
            reason = _exchange.AddLosses(ref losses, reason, ref diverged);
        }

        if (reason is not null)
        {
            HasDiverged |= diverged;
            string message = $"training stopped at step {Step}: {reason}";
            throw _exchange is null ? new InputException(message) : JobMember.Agreed(message);
        }

        using var range = _loaded.Device.Range("optimiser");

        // The gradients are the sum over the parts, the norm is that of their mean.
        _gradientNorm = _step.Update(numbers, train.ClipGrad * parts) / parts;
        return new StepResult(losses.Total, losses.Focal, losses.Dice, rate);
    }

    // Everything is queued first, the next batch with it, then the host reads four numbers: loss and parts, and which gradient is bad if any is; in
    // fp16 also whether a number was too large for it. Bad numbers end a run of one process here; several tell each other after the step.
    private BadStep? Accumulate(
        TrainingInputs inputs, int part, bool more, in AdamWStep numbers, ref (double Total, double Focal, double Dice) losses)
    {
        int parts = _config.Train.Accumulate;
        ulong iteration = (ulong)((Step * parts) + part);
        var mixed = new CounterRandom((ulong)_config.Train.Seed, iteration);
        var (batch, tensors, share) = _step.Queue(inputs, part, mixed.NextBits(), (long)_job.Group.Rank * Pictures, part + 1 == parts, numbers);
        using (batch)
        {
            if (more)
            {
                inputs.CopyAhead();
            }

            var (total, focal, dice, gradient, tooLarge) = _step.Read();
            losses = (losses.Total + (total * share / parts), losses.Focal + (focal * share / parts), losses.Dice + (dice * share / parts));
            return BadStep.Of(total, gradient, tooLarge, _loaded.Device.Precision, () => tensors.FirstBad(_loaded), batch.Batch.Ids);
        }
    }
}
