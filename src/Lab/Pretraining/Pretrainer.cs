using System.Globalization;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Optimizers;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Kernels.Devices;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;
using Ldvc.Training;

namespace Ldvc.Lab.Pretraining;

/// <summary>
/// `ldvc pretrain`: trains a small CLIP, from random weights or from another CLIP's, on drawn pictures and captions (never masks). Every batch is a
/// pure function of (seed, step), so a run that was interrupted continues from its state file bit for bit.
/// </summary>
internal sealed class Pretrainer : ITrainable, IDisposable
{
    private const int HeadWidth = 64;
    private readonly PretrainConfig _config;
    private readonly Device _device;
    private readonly int _threads;
    private readonly CaptionOptions _captions;
    private readonly AdamW _optimizer;
    private readonly float _limit;
    private readonly float _most;
    private CaptionBatches? _batches;

    internal Pretrainer(PretrainConfig config, Device device, int threads)
    {
        (_config, _device, _threads) = (config, device, threads);
        CaptionBatches.CheckRoom(config.Batch, config.Vision.Image);
        _captions = new CaptionOptions(config.Captions, config.Vision.Image);
        Vocabulary = config.Init is null
            ? BpeTrainer.Train(SampleCaptions(), config.Text.Vocabulary)
            : InitialWeights.Vocabulary(config.Init, config.Text.Vocabulary);
        Tokenizer = new ClipTokenizer(Vocabulary);
        var vision = new TowerConfig(config.Vision.Width, config.Vision.Layers, config.Vision.Width / HeadWidth, 4 * config.Vision.Width);
        var text = new TowerConfig(config.Text.Width, config.Text.Layers, config.Text.Width / HeadWidth, 4 * config.Text.Width);
        var sizes = new Clip.ClipConfig(
            vision, text, config.Embed, config.Vision.Image, config.Vision.Patch, config.Text.Context, Vocabulary.Ids.Count);
        Model = new ClipModel(new RandomWeights(new Initializer(device, (ulong)config.Seed)), sizes);
        if (config.Init is null)
        {
            Model.LogitScale.Value.CopyFromHost<float>([MathF.Log(1 / (float)config.Temperature)]);
        }
        else
        {
            try
            {
                InitialWeights.CopyTo(Model, config.Init);
            }
            catch
            {
                Model.Dispose();
                throw;
            }
        }

        // A few units of the last place below the limit: past it the factor has no gradient, and e^s is not rounded alike everywhere.
        _limit = (float)(1 / config.LeastTemperature);
        _most = MathF.Log(_limit) - 1e-6f;
        CutScale();

        // Only matrices decay: norms, biases and the temperature do not.
        var ranks = Model.Parameters().ToDictionary(p => p.Name, p => p.Parameter.Shape.Rank);
        _optimizer = ConfiguredAdamW.Create("pretrain", Model.Parameters(), config.Betas, config.Eps, config.WeightDecay, name => ranks[name] > 1);
    }

    /// <summary>The model being trained.</summary>
    internal ClipModel Model { get; }

    /// <summary>Learnt from captions of this data set, or the tokens of the CLIP it starts from.</summary>
    internal ClipVocabulary Vocabulary { get; }

    /// <summary>The vocabulary's tokenizer.</summary>
    internal ClipTokenizer Tokenizer { get; }

    /// <summary>Steps taken so far.</summary>
    public long Step => _optimizer.Steps;

    /// <summary>Whether training has ended because a value is NaN or infinite.</summary>
    public bool HasDiverged { get; private set; }

    TimeSpan? ITrainable.Waited => null;

    IReadOnlyList<(string Name, double Value)> ITrainable.Parts => [];

    /// <summary>Learning rate of a step: linear warm-up, cosine decay to zero.</summary>
    internal double RateAt(long step)
    {
        if (step < _config.Warmup)
        {
            return _config.Lr * (step + 1) / _config.Warmup;
        }

        double done = (double)(step - _config.Warmup) / Math.Max(1, _config.Steps - _config.Warmup);
        return 0.5 * _config.Lr * (1 + Math.Cos(Math.PI * Math.Min(1, done)));
    }

    /// <summary>One step; returns its loss.</summary>
    /// <exception cref="InputException">The loss or a gradient is NaN or infinite.</exception>
    internal float RunStep(CaptionBatches batches)
    {
        var (pictures, texts) = batches.Draw(_device, Step, _threads);
        float loss;
        using (pictures)
        {
            loss = ContrastiveStep.Run(Model, _device, pictures, texts, (float)_config.PatchLoss, (float)_config.PatchFocus, _limit);
        }

        using Tensor bad = _device.Empty(new Shape(1), DType.Int32);
        _optimizer.FindNotFiniteGradient(bad.View);
        Span<int> found = stackalloc int[1];
        bad.CopyToHost(found);
        if (Fp16Overflow.Take(_device))
        {
            // The weights are those of the step before: they are saved.
            throw new InputException($"pretraining stopped at step {Step}: {Fp16Overflow.Message}: resume with pretrain.precision=bf16");
        }

        string? culprit = _optimizer.NotFiniteName(found[0]);
        if (!float.IsFinite(loss) || culprit is not null)
        {
            // In fp16 a number that was too large in attention's backward shows in the gradient alone.
            bool mayBeLarge = _device.Precision == Precision.Fp16 && float.IsFinite(loss);
            HasDiverged = !mayBeLarge;
            string orResume = mayBeLarge ? ", or resume with pretrain.precision=bf16: numbers of fp16 end at 65504" : "";
            throw new InputException(
                $"pretraining stopped at step {Step}: the loss is {loss}, first bad gradient: {culprit ?? "none"}; try a lower "
                    + $"pretrain.lr{orResume}");
        }

        _optimizer.Step((float)RateAt(Step));
        CutScale();
        return loss;
    }

    (double Loss, double LearningRate) ITrainable.Advance()
    {
        _batches ??= CreateBatches();
        double rate = RateAt(Step);
        return (RunStep(_batches), rate);
    }

    // As CLIP does after every step. Above the limit the factor would have no gradient and could not come back, and the file would name another one
    // than training used.
    private void CutScale()
    {
        float scale = Model.LogitScale.Value.ToScalar();
        if (scale > _most)
        {
            Model.LogitScale.Value.CopyFromHost<float>([_most]);
        }
    }

    /// <summary>The source of batches for <see cref="RunStep"/>.</summary>
    internal CaptionBatches CreateBatches() => new(Tokenizer, _captions, (ulong)_config.Seed, _config.Batch, _config.Text.Context);

    /// <summary>What the model can do so far.</summary>
    internal ClipReport Report() => ClipReport.Measure(new ProbeEmbedder(Model, _device, Tokenizer), _captions, (ulong)_config.Seed);

    /// <summary>The state from which <see cref="Load"/> continues.</summary>
    /// <exception cref="InputException">A tensor holds NaN or infinity.</exception>
    public SafetensorsWriter Compose() => TrainingState.Compose(Model.Parameters(), _optimizer, Step, new Dictionary<string, string>
    {
        ["kind"] = TrainingState.PretrainingKind,
        ["seed"] = _config.Seed.ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>Continues from a state file.</summary>
    /// <exception cref="InputException">It is damaged, of another kind, or of a model of another size.</exception>
    internal void Load(string path)
    {
        using var archive = TensorArchive.Open(path);
        if (!archive.Metadata.TryGetValue("kind", out string? kind) || kind != TrainingState.PretrainingKind)
        {
            throw new InputException($"{path}: expected a state of `ldvc pretrain` (kind {TrainingState.PretrainingKind}), found "
                + $"{(kind is null ? "a file without a kind" : $"kind '{kind}'")}");
        }

        TrainingState.Load(archive, Model.Parameters(), _optimizer);
    }

    /// <summary>
    /// Writes the finished CLIP as a Hugging Face folder with fp16 tensors. A new folder appears whole or not at all; in one that has files already,
    /// each file does.
    /// </summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    internal void Export(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Write(folder);
            return;
        }

        Imaging.OutputFolder.Create(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) ?? ".");
        AtomicFolder.Write(folder, Write);
    }

    private void Write(string folder)
    {
        ClipWriter.Save(Model, folder, DType.Float16, Imaging.ImageStatistics.Clip.Mean, Imaging.ImageStatistics.Clip.Std);
        Vocabulary.Save(folder);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        Model.Dispose();
    }

    // A few thousand captions hold every word many times: enough for the vocabulary.
    private IEnumerable<string> SampleCaptions()
    {
        for (int step = 0; step < 16; step++)
        {
            foreach (var sample in CaptionSampler.SampleScenes((ulong)_config.Seed, step, 128, _captions))
            {
                yield return sample.Caption;
            }
        }
    }
}
