using System.Diagnostics;
using Ldvc.Cli;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Demo;

/// <summary>
/// The demo: trains LDVC on the seen classes of drawn scenes around the small CLIP of the repository, then segments pictures with seen and unseen classes
/// by their names. As a control, the same model is scored with the class embeddings dealt out wrongly.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    /// <summary>In the pictures without given objects, pixels below this score are background.</summary>
    internal const double BackgroundBelow = 0.2;

    private const int LossWindow = 20;

    // Any rotation by a number prime to 30 gives every class another one's name.
    private const int ShuffleBy = 11;

    private readonly LdvcConfig _config;
    private readonly LoadedModel _loaded;
    private readonly CommonOptions _common;

    internal DemoRun(LdvcConfig config, string clipFolder, Device device, CommonOptions common)
    {
        (_config, _common) = (config, common);
        _loaded = LoadedModel.Create(clipFolder, config.Model, device, (ulong)config.Train.Seed);
        Validation = DatasetFactory.OpenValidation(config);
    }

    /// <summary>The pictures that are scored.</summary>
    internal SegmentationDataset Validation { get; }

    /// <summary>Trains and scores.</summary>
    internal DemoResult Run()
    {
        var clock = Stopwatch.StartNew();
        var losses = Train();
        double trained = clock.Elapsed.TotalSeconds;
        var scores = Score("scoring", _config, null);
        var plain = Score("scoring without the seen penalty", _config with { Eval = _config.Eval with { SeenPenalty = 0 } }, null);
        int classes = Validation.Classes.Count;
        string[] shuffled = [.. Enumerable.Range(0, classes).Select(c => Validation.Classes[(c + ShuffleBy) % classes])];
        var control = Score("scoring with shuffled class embeddings", _config, shuffled);
        return new DemoResult(scores, plain, control, losses, _config.Train.Steps, Validation.Count, trained, clock.Elapsed.TotalSeconds);
    }

    /// <summary>
    /// Predictions for the first pictures of the validation part: the best class everywhere, and the same with background where none is probable.
    /// </summary>
    internal IEnumerable<(RgbImage Picture, LabelMap Truth, LabelMap Prediction, LabelMap Open)> Examples(int count)
    {
        using var segmenter = Evaluator.CreateSegmenter(_loaded, Validation, _config);
        for (int i = 0; i < Math.Min(count, Validation.Count); i++)
        {
            var (picture, truth) = Validation.Read(i);
            yield return (picture, truth, segmenter.Segment(picture).Labels, segmenter.Segment(picture, BackgroundBelow).Labels);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _loaded.Dispose();

    private List<(int Step, double Loss)> Train()
    {
        using var trainer = new LdvcTrainer(_loaded, DatasetFactory.OpenTraining(_config), _config);
        int steps = _config.Train.Steps, batch = _config.Train.Batch;
        return ProgressReporter.Run(_common.Host, "step", 0, steps, progress =>
        {
            var losses = new List<(int, double)>();
            double sum = 0;
            for (int step = 1; step <= steps; step++)
            {
                _common.Cancellation.ThrowIfCancellationRequested();
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

    private Scores Score(string what, LdvcConfig config, IReadOnlyList<string>? names)
    {
        _common.Out.WriteLine(what);
        return ProgressReporter.Run(_common.Host, "picture", 0, Validation.Count, progress => Evaluator.Run(
            _loaded, Validation, config, done => progress.Report(new ProgressStatus(done, double.NaN, double.NaN, done)), names, _common.Cancellation));
    }
}
