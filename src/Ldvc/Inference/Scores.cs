using Ldvc.Data;

namespace Ldvc.Inference;

/// <summary>One class's result, as shares of 1; NaN where there is nothing to score.</summary>
public sealed record ClassScore(string Name, bool Seen, double IoU, double Accuracy, long Pixels);

/// <summary>
/// The scores of zero-shot segmentation (method.md, top): pixel accuracy, mIoU over seen and over unseen classes, their harmonic mean; shares of 1.
/// Classes that neither occur nor are predicted do not enter the means.
/// </summary>
public sealed record Scores(double PixelAccuracy, double MeanIoU, double Seen, double Unseen, double Harmonic, IReadOnlyList<ClassScore> Classes)
{
    /// <summary>Computes them from a confusion matrix.</summary>
    internal static Scores From(Confusion confusion, ClassList classes, ZeroShotSplit split)
    {
        var rows = new ClassScore[confusion.Classes];
        for (int c = 0; c < rows.Length; c++)
        {
            rows[c] = new ClassScore(classes[c], split.IsSeen(c), confusion.IoU(c), confusion.Accuracy(c), confusion.Truth(c));
        }

        double seen = Mean(rows.Where(r => r.Seen)), unseen = Mean(rows.Where(r => !r.Seen));
        double harmonic = seen + unseen > 0 ? 2 * seen * unseen / (seen + unseen) : (double.IsNaN(seen + unseen) ? double.NaN : 0);
        return new Scores(confusion.PixelAccuracy(), Mean(rows), seen, unseen, harmonic, rows);
    }

    private static double Mean(IEnumerable<ClassScore> rows)
    {
        double[] values = [.. rows.Select(r => r.IoU).Where(v => !double.IsNaN(v))];
        return values.Length == 0 ? double.NaN : values.Average();
    }
}
