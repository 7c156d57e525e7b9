using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Data;
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
    // Unseen pixels wait for their pseudo label under this number; classes end below it.
    private const byte PseudoLabelMarker = 254;

    private readonly LoadedModel _loaded;
    private readonly LdvcConfig _config;
    private readonly SegmentationDataset _dataset;
    private readonly Augmentation _augmentation;
    private readonly LabelMapping _mapping;
    private readonly TokenBatch? _texts;
    private readonly Tensor? _frozenClasses;
    private readonly Tensor? _unseenFlags;
    private readonly PolynomialSchedule _schedule;
    private TrainingInputs? _inputs;
    private StepResult _last;
    private double _gradientNorm;

    /// <summary>Makes ready to train; the configuration is checked against the CLIP and the data set.</summary>
    /// <param name="loaded">The model; it stays the caller's.</param>
    /// <param name="dataset">The training part.</param>
    /// <param name="config">Sections train, augment, loss and data.</param>
    /// <exception cref="InputException">A value does not fit the CLIP or the data set.</exception>
    public LdvcTrainer(LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config)
    {
        (_loaded, _dataset, _config) = (loaded, dataset, config);
        var train = config.Train;
        if (train.Batch % train.Accumulate != 0)
        {
            throw new InputException($"{config.Source}: train.accumulate is {train.Accumulate}, expected a divisor of train.batch = {train.Batch}");
        }

        if (config.Augment.Crop % loaded.Clip.Config.PatchSize != 0)
        {
            throw new InputException($"{config.Source}: augment.crop is {config.Augment.Crop}, expected a multiple of the CLIP's patch of {loaded.Clip.Config.PatchSize}");
        }

        if (dataset.Classes.Count > PseudoLabelMarker)
        {
            throw new InputException($"{dataset.Name}: {dataset.Classes.Count} classes, expected at most {PseudoLabelMarker}");
        }

        if (train.Setting == TrainSetting.Transductive && dataset.Split.Unseen.Length == 0)
        {
            throw new InputException($"{config.Source}: train.setting is transductive, expected a data set with unseen classes, but {dataset.Name} has none");
        }

        // Built now, so that what is wrong with it is said before a run begins.
        _augmentation = new Augmentation(config.Augment, PictureStatistics.Of(config.Data, loaded.Statistics));
        DataLoader.CheckBatch(train.Batch / train.Accumulate, config.Augment.Crop);
        _mapping = new LabelMapping(dataset.Split, train.Setting switch
        {
            TrainSetting.Inductive => LabelProtocol.Inductive,
            TrainSetting.Transductive => LabelProtocol.Transductive,
            _ => LabelProtocol.Supervised,
        });
        string[] names = [.. _mapping.ClassIds.Select(id => dataset.Classes[id])];
        if (loaded.Model.HasTextPrompts)
        {
            _texts = loaded.Tokenize(names);
        }
        else
        {
            // Frozen class embeddings never change: one computation serves the whole run.
            _frozenClasses = loaded.EmbedClasses(names);
        }

        if (_mapping.HasUnseenMask)
        {
            var flags = new byte[dataset.Classes.Count];
            foreach (int id in dataset.Split.Unseen)
            {
                flags[id] = 1;
            }

            _unseenFlags = loaded.Device.FromHost(flags, new Shape(flags.Length));
        }

        _schedule = new PolynomialSchedule(train.Lr, train.MinLr, train.Steps, train.PolyPower, train.Warmup, train.WarmupRatio);
        Optimizer = new AdamW(loaded.Model.Parameters(), (float)train.Betas[0], (float)train.Betas[1], (float)train.Eps, _ => (float)train.WeightDecay);
    }

    /// <summary>The optimiser with its moments.</summary>
    public AdamW Optimizer { get; }

    /// <summary>Steps taken.</summary>
    public long Step => Optimizer.Steps;

    /// <summary>Time spent waiting for data so far.</summary>
    public TimeSpan Waited => _inputs?.Waited ?? TimeSpan.Zero;

    /// <summary>Whether training has ended because of NaN or infinity.</summary>
    public bool HasDiverged { get; private set; }

    TimeSpan? ITrainable.Waited => Waited;

    IReadOnlyList<(string Name, double Value)> ITrainable.Parts => _config.Train.ClipGrad == 0
        ? [("focal", _last.Focal), ("dice", _last.Dice)]
        : [("focal", _last.Focal), ("dice", _last.Dice), ("gradient_norm", _gradientNorm)];

    /// <summary>One optimiser step.</summary>
    /// <exception cref="InputException">A file of the data set is bad, or NaN or infinity appeared (the message names the first bad
    /// tensor).</exception>
    public StepResult RunStep()
    {
        var train = _config.Train;
        using var step = _loaded.Device.Range("training step");
        int parts = train.Accumulate;
        _inputs ??= new TrainingInputs(StartLoader(), _loaded.Device, PseudoLabelMarker);
        double total = 0, focal = 0, dice = 0;
        for (int part = 0; part < parts; part++)
        {
            bool more = part + 1 < parts || Step + 1 < train.Steps;
            var (t, f, d) = Accumulate(_inputs, (ulong)((Step * parts) + part), more);
            total += t / parts;
            focal += f / parts;
            dice += d / parts;
        }

        double rate = _schedule.At(Step);
        using var range = _loaded.Device.Range("optimiser");
        if (train.ClipGrad > 0)
        {
            // The gradients are the sum over the parts, the norm is that of their mean.
            _gradientNorm = Optimizer.ClipGradientNorm(train.ClipGrad * parts) / parts;
        }

        Optimizer.Step((float)rate, 1f / parts);
        return _last = new StepResult(total, focal, dice, rate);
    }

    (double Loss, double LearningRate) ITrainable.Advance()
    {
        StepResult result = RunStep();
        return (result.Loss, result.LearningRate);
    }

    /// <summary>A checkpoint of the last step.</summary>
    /// <exception cref="InputException">A value of it is NaN or infinite.</exception>
    public SafetensorsWriter Compose() => LdvcCheckpoint.Compose(_loaded, Optimizer, _config, _dataset);

    /// <inheritdoc/>
    public void Dispose()
    {
        _inputs?.Dispose();
        _frozenClasses?.Dispose();
        _unseenFlags?.Dispose();
        Optimizer.Dispose();
    }

    private DataLoader StartLoader()
    {
        var train = _config.Train;
        int workers = _config.Data.Workers > 0 ? _config.Data.Workers : Math.Clamp(Environment.ProcessorCount / 2, 1, 8);
        return new DataLoader(_dataset, _augmentation, _mapping, new DataLoaderOptions
        {
            BatchSize = train.Batch / train.Accumulate,
            Workers = workers,
            Prefetch = _config.Data.Prefetch,
            Seed = (ulong)train.Seed,
            StartIteration = Step * train.Accumulate,
        });
    }

    // Everything is queued first, the next batch with it, then the host reads four numbers: loss and parts, and which gradient is bad if any is.
    private (double Total, double Focal, double Dice) Accumulate(TrainingInputs inputs, ulong iteration, bool more)
    {
        var device = _loaded.Device;
        var model = _loaded.Model;
        var mixed = new CounterRandom((ulong)_config.Train.Seed, iteration);
        using var tape = new Tape(device, recording: true, mixed.NextBits());
        var (lent, images, truth) = inputs.Take();
        using var batch = lent;
        using var image = images;
        using var labels = truth;
        var texts = _frozenClasses is { } frozen ? tape.Constant(frozen.Share()) : model.EncodeClasses(tape, _texts!);
        var logits = model.Forward(tape, image, texts);
        if (_unseenFlags is not null)
        {
            var shape = logits.Shape;
            tape.Kernels.Segmentation.PseudoLabels(logits.Value, labels, _unseenFlags, PseudoLabelMarker, shape[0], shape[1], shape[2], shape[3], batch.Size, batch.Size);
        }

        var weights = _config.Loss;
        var loss = tape.MaskLoss(logits, labels, (float)weights.Focal, (float)weights.Dice, (float)weights.Alpha, out var partsTensor);
        using var parts = partsTensor;
        using (device.Range("backward"))
        {
            tape.Backward(loss);
        }

        using var status = device.Empty(new Shape(4));
        using (var losses = status.Slice(0, 3))
        {
            losses.CopyFrom(parts);
        }

        Optimizer.FindNotFiniteGradient(status.View.Shift(3).As(DType.Int32));
        if (more)
        {
            inputs.CopyAhead();
        }

        float[] values = status.ToArray();
        if (!float.IsFinite(values[0]))
        {
            throw Diverged($"the loss is {values[0]}; first bad tensor: {FirstBadTensor(image, texts, logits)}", batch);
        }

        if (Optimizer.NotFiniteName(BitConverter.SingleToInt32Bits(values[3])) is { } bad)
        {
            throw Diverged($"first bad tensor: the gradient of {bad}", batch);
        }

        return (values[0], values[1], values[2]);
    }

    private string FirstBadTensor(Tensor image, Variable texts, Variable logits)
    {
        static bool Bad(Tensor tensor) => !Finite.All(tensor);
        var parameters = _loaded.Model.Parameters().Concat(_loaded.Clip.Parameters("clip."));
        if (parameters.FirstOrDefault(p => Bad(p.Parameter.Value)).Name is { } name)
        {
            return $"parameter {name}";
        }

        return Bad(image) ? "the picture" : Bad(texts.Value) ? "text_embeddings" : Bad(logits.Value) ? "mask_logits" : "the loss";
    }

    private InputException Diverged(string what, DataBatch batch)
    {
        HasDiverged = true;
        return new($"training stopped at step {Step}: {what} (pictures {string.Join(", ", batch.Ids.Take(4))}{(batch.Count > 4 ? ", ..." : "")}); try a lower train.lr");
    }
}
