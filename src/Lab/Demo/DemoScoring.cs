using Ldvc.Data;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Lab.Ablation;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Lab.Demo;

/// <summary>Scores whatever segments on the demo's validation scenes.</summary>
/// <param name="monitor">Follows.</param>
/// <param name="validation">The scenes.</param>
/// <param name="device">Where confusion matrices are counted.</param>
internal sealed class DemoScoring(IRunMonitor monitor, SegmentationDataset validation, Device device)
{
    /// <summary>
    /// Three scores: with a seen penalty, without it, and with the class embeddings shuffled; and the confusion matrices of single scenes with the
    /// penalty.
    /// </summary>
    /// <param name="name">The method's name.</param>
    /// <param name="create">Makes a segmenter of the data set's classes, or of other names for them.</param>
    /// <param name="penalty">What is subtracted from the probability of seen classes.</param>
    /// <param name="cancellation">Checked before each scene.</param>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal MethodResult Run(string name, Func<string[]?, Segmenter> create, double penalty, CancellationToken cancellation)
    {
        Confusion[][] right = Pass($"{name}: scene", create(null), [penalty, 0], cancellation);
        Confusion[][] wrong = Pass(
            $"{name}, class embeddings shuffled: scene", create(RunScorer.Shuffle(validation.Classes)), [penalty], cancellation);
        return new MethodResult(name, ScoresOf(right[0]), ScoresOf(right[1]), ScoresOf(wrong[0]), right[0], [], 0);
    }

    // Confusion matrices by penalty and picture.
    private Confusion[][] Pass(string what, Segmenter of, double[] penalties, CancellationToken cancellation)
    {
        using Segmenter segmenter = of;
        int count = validation.Count;
        Confusion[][] matrices = [.. penalties.Select(_ => new Confusion[count])];
        float[][] perClass = [.. penalties.Select(p => RunScorer.PerClass(validation, p))];
        return monitor.Loop(what, 0, count, progress =>
        {
            for (int i = 0; i < count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var (picture, truth) = validation.Read(i);
                LabelMap[] labels = segmenter.SegmentWithPenalties(picture, perClass);
                for (int p = 0; p < labels.Length; p++)
                {
                    matrices[p][i] = new Confusion(validation.Classes.Count);
                    Evaluator.Count(device, truth, labels[p], matrices[p][i]);
                }

                progress.Report(new ProgressStatus(i + 1, double.NaN, double.NaN, i + 1));
            }

            return matrices;
        });
    }

    private Scores ScoresOf(Confusion[] pictures)
    {
        var sum = new Confusion(validation.Classes.Count);
        foreach (Confusion picture in pictures)
        {
            sum.Add(picture);
        }

        return Scores.From(sum, validation.Classes, validation.Split);
    }
}
