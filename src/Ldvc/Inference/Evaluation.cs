using Ldvc.Cli;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Model;
using Ldvc.Training;

namespace Ldvc.Inference;

/// <summary>An evaluation that somebody watches.</summary>
internal static class Evaluation
{
    /// <summary>Pictures an evaluation looks at: all, or the first eval.limit.</summary>
    internal static int Count(SegmentationDataset dataset, LdvcConfig config) =>
        config.Eval.Limit > 0 ? Math.Min(config.Eval.Limit, dataset.Count) : dataset.Count;

    /// <summary>Scores a model on the validation pictures, with progress.</summary>
    /// <exception cref="OperationCanceledException">Ctrl-C.</exception>
    internal static Scores Run(VerbHost host, LoadedModel loaded, SegmentationDataset dataset, LdvcConfig config) =>
        ProgressReporter.Run(host, "image", 0, Count(dataset, config), reporter => Evaluator.Run(
            loaded,
            dataset,
            config,
            done => reporter.Report(new ProgressStatus(done, double.NaN, double.NaN, done)),
            cancellation: host.Cancellation));
}
