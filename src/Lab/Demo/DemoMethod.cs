using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Lab.Ablation;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Demo;

/// <summary>One of the methods that the demo trains and scores; same CLIP, same scenes in the same order, same number of steps.</summary>
internal sealed class DemoMethod : IDisposable
{
    private const int LossWindow = 20;

    private readonly LdvcConfig _config;
    private readonly LoadedModel _loaded;
    private readonly SegmentationDataset _validation;
    private LdvcTrainer? _trainer;

    internal DemoMethod(AblationRow row, LdvcConfig config, string clipFolder, SegmentationDataset validation, Device device)
    {
        Name = row == AblationRow.Ldvc ? "LDVC" : AblationVariant.TitleOf(row);
        // A checkpoint says where its CLIP lies.
        LdvcConfig own = AblationVariant.Configure(config, row);
        (_config, _validation) = (own with { Clip = own.Clip with { Path = Path.GetFullPath(clipFolder) } }, validation);
        _loaded = LoadedModel.Create(_config.Clip, _config.Model, device, (ulong)config.Train.Seed);
    }

    /// <summary>"ZegCLIP", "LDVC".</summary>
    internal string Name { get; }

    /// <summary>Trains; (step, mean loss since the entry before).</summary>
    internal List<(int Step, double Loss)> Train(IRunMonitor monitor, CancellationToken cancellation)
    {
        var trainer = _trainer = new LdvcTrainer(_loaded, DrawnData.Registry.OpenTraining(_config), _config);
        int steps = _config.Train.Steps, batch = _config.Train.Batch;
        return monitor.Loop($"{Name}: step", 0, steps, progress =>
        {
            var losses = new List<(int, double)>();
            double sum = 0;
            for (int step = 1; step <= steps; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                var result = trainer.RunStep();
                progress.Report(new ProgressStatus(step, result.Loss, result.LearningRate, (long)step * batch));
                sum += result.Loss;
                if (step % LossWindow == 0)
                {
                    losses.Add((step, sum / LossWindow));
                    sum = 0;
                }
            }

            return losses;
        });
    }

    /// <summary>Writes the trained model as a checkpoint of `ldvc train`.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    internal void Save(string path) => LdvcCheckpoint.Compose(_loaded, _trainer!.Optimizer, _config, _validation).Save(path);

    /// <summary>Scores every validation scene: with the seen penalty, without it, and with the class embeddings shuffled.</summary>
    internal MethodResult Score(
        IRunMonitor monitor, IReadOnlyList<(int Step, double Loss)> losses, double trainSeconds, CancellationToken cancellation) =>
        new DemoScoring(monitor, _validation, _loaded.Device).Run(
            Name, names => Evaluator.CreateSegmenter(_loaded, _validation, _config, names), _config.Eval.SeenPenalty, cancellation) with
        { Losses = losses, TrainSeconds = trainSeconds };

    /// <summary>
    /// Predictions for the first pictures of the validation part; background where no class reaches <paramref name="background"/>, if that is given.
    /// </summary>
    internal IEnumerable<LabelMap> Examples(int count, double? background = null)
    {
        using var segmenter = Evaluator.CreateSegmenter(_loaded, _validation, _config);
        for (int i = 0; i < count; i++)
        {
            yield return segmenter.Segment(_validation.ReadImage(i), background).Labels;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer?.Dispose();
        _loaded.Dispose();
    }
}
