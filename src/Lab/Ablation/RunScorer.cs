using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Ablation;

/// <summary>Everything that is scored on one trained model: one pass with the right names under every penalty, one with the names shuffled.</summary>
internal static class RunScorer
{
    /// <summary>
    /// The penalties that are scored: the configuration's own, none, and those of the sweep, which is empty but for inductive training.
    /// </summary>
    internal static double[] Penalties(LdvcConfig config, IReadOnlyList<double> sweep) =>
        [config.Train.Setting == TrainSetting.Inductive ? config.Eval.SeenPenalty : 0, 0, .. sweep];

    /// <summary>
    /// Every class gets another one's name, about 11 / 30 of the list further on. The decoders treat classes alike, so this is also what the same
    /// prediction would score if its answers were other classes.
    /// </summary>
    internal static string[] Shuffle(ClassList classes)
    {
        int shift = Math.Max(1, 11 * classes.Count / 30);
        return [.. Enumerable.Range(0, classes.Count).Select(c => classes[(c + shift) % classes.Count])];
    }

    /// <summary>Scores a model.</summary>
    /// <exception cref="OperationCanceledException">Ctrl-C.</exception>
    internal static (ScoreLine[] Scores, ScoreLine[] Shuffled, Fragmentation Torn) Run(
        IRunMonitor monitor,
        LoadedModel loaded,
        SegmentationDataset dataset,
        LdvcConfig config,
        IReadOnlyList<double> penalties,
        CancellationToken cancellation) =>
        Run(monitor, loaded.Device, names => Evaluator.CreateSegmenter(loaded, dataset, config, names), dataset, config, penalties, cancellation);

    /// <summary>Scores whatever segments.</summary>
    /// <param name="monitor">Follows.</param>
    /// <param name="device">Where confusion matrices are counted.</param>
    /// <param name="segmenter">Makes a segmenter of the data set's classes, or of other names for them.</param>
    /// <param name="dataset">Pictures and truth.</param>
    /// <param name="config">How many pictures, background.</param>
    /// <param name="penalties">Seen penalties; the second is 0.</param>
    /// <param name="cancellation">Checked before each picture.</param>
    /// <exception cref="OperationCanceledException">Ctrl-C.</exception>
    internal static (ScoreLine[] Scores, ScoreLine[] Shuffled, Fragmentation Torn) Run(
        IRunMonitor monitor, Device device, Func<string[]?, Segmenter> segmenter, SegmentationDataset dataset, LdvcConfig config,
            IReadOnlyList<double> penalties,
        CancellationToken cancellation)
    {
        var torn = new Fragmentation();
        ScoreLine[] scores = Pass(monitor, "picture", device, segmenter, null, dataset, config, penalties, torn, cancellation);
        ScoreLine[] shuffled = Pass(
            monitor,
            "picture, names shuffled,",
            device,
            segmenter,
            Shuffle(dataset.Classes),
            dataset,
            config,
            [.. penalties.Take(2)],
            null,
            cancellation);
        return (scores, shuffled, torn);
    }

    private static ScoreLine[] Pass(
        IRunMonitor monitor, string title, Device device, Func<string[]?, Segmenter> create, string[]? names, SegmentationDataset dataset,
            LdvcConfig config,
        IReadOnlyList<double> penalties, Fragmentation? torn, CancellationToken cancellation)
    {
        int count = Evaluator.Count(dataset, config);
        float[][] perClass = [.. penalties.Select(p => PerClass(dataset, p))];
        Confusion[] confusions = [.. penalties.Select(_ => new Confusion(dataset.Classes.Count))];
        using Segmenter segmenter = create(names);
        return monitor.Loop(title, 0, count, progress =>
        {
            for (int i = 0; i < count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var (picture, truth) = dataset.Read(i);
                LabelMap[] labels = Evaluator.OfPicture(dataset, i, () => segmenter.SegmentWithPenalties(picture, perClass, config.Eval.Background));
                for (int p = 0; p < labels.Length; p++)
                {
                    Evaluator.Count(device, truth, labels[p], confusions[p]);
                }

                torn?.Add(truth, labels[0], segmenter.PatchArea(picture.Width, picture.Height));
                progress.Report(new ProgressStatus(i + 1, double.NaN, double.NaN, i + 1));
            }

            return confusions.Select(c => ScoreLine.From(Scores.From(c, dataset.Classes, dataset.Split))).ToArray();
        });
    }

    /// <summary>A penalty on the seen classes, by class id.</summary>
    internal static float[] PerClass(SegmentationDataset dataset, double penalty)
    {
        var values = new float[dataset.Classes.Count];
        foreach (int id in dataset.Split.Unseen.Length > 0 ? dataset.Split.Seen : [])
        {
            values[id] = (float)penalty;
        }

        return values;
    }
}
