using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>An evaluation that somebody follows.</summary>
internal static class Evaluation
{
    /// <summary>The confusion matrix of a model on the validation pictures.</summary>
    /// <param name="monitor">Follows.</param>
    /// <param name="loaded">The model.</param>
    /// <param name="dataset">Pictures and truth.</param>
    /// <param name="config">Windows, penalty, background.</param>
    /// <param name="show">Shown the first pictures; null = nobody is.</param>
    /// <param name="job">Its processes share the pictures; it is asked before each whether to stop.</param>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static Confusion Confuse(
        IRunMonitor monitor, LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config, PictureShow? show, JobMember job) =>
        monitor.Loop("image", 0, Evaluator.Count(dataset, config), progress => Evaluator.Confuse(
            loaded,
            dataset,
            config,
            done => progress.Report(new ProgressStatus(done, double.NaN, double.NaN, done)),
            names: null,
            show,
            job));

    /// <summary>The confusion matrix of any segmenter of the data set's classes.</summary>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static Confusion Confuse(
        IRunMonitor monitor, Segmenter segmenter, Device device, SegmentationDataset dataset, LdvcConfig config, double? background,
        PictureShow? show, JobMember job) =>
        monitor.Loop("image", 0, Evaluator.Count(dataset, config), progress => Evaluator.Confuse(
            segmenter,
            device,
            dataset,
            config,
            background,
            done => progress.Report(new ProgressStatus(done, double.NaN, double.NaN, done)),
            show,
            job));
}
