using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>An evaluation that somebody follows.</summary>
internal static class Evaluation
{
    /// <summary>Scores a model on the validation pictures.</summary>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static Scores Run(IRunMonitor monitor, LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config, CancellationToken cancellation) =>
        monitor.Loop("image", 0, Evaluator.Count(dataset, config), progress => Evaluator.Run(
            loaded,
            dataset,
            config,
            done => progress.Report(new ProgressStatus(done, double.NaN, double.NaN, done)),
            cancellation: cancellation));

    /// <summary>The same with any segmenter of the data set's classes.</summary>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static Scores Run(
        IRunMonitor monitor, Segmenter segmenter, Device device, SegmentationDataset dataset, LdvcConfig config, double? background, CancellationToken cancellation) =>
        monitor.Loop("image", 0, Evaluator.Count(dataset, config), progress => Evaluator.Run(
            segmenter,
            device,
            dataset,
            config,
            background,
            done => progress.Report(new ProgressStatus(done, double.NaN, double.NaN, done)),
            cancellation));
}
